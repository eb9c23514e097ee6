import type { NodeId } from "@seshat/common";
import { InvalidChangeError, ShutdownError, TransferFailedError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { Ledger } from "../../test/support/ledger.js";
import { startLoad } from "../../test/support/ledger.js";
import { leaderOf, startLedgers } from "../../test/support/virtual-cluster.js";
import {
  LastVoterError,
  NodeDownError,
  NodeExistsError,
  NodeNotAddedError,
  NodeNotRemovedError,
} from "../errors.js";
import type { Cluster } from "./cluster.js";

type LedgerCluster = Cluster<number, number, Ledger>;

/** The voters as the leader knows them: sets, two while joint. */
function votersOf(cluster: LedgerCluster): readonly (readonly NodeId[])[] | undefined {
  const leader = leaderOf(cluster);
  return leader === null ? undefined : cluster.metrics(leader)?.membership.membership.configs;
}

function membersOf(cluster: LedgerCluster): readonly NodeId[] {
  const leader = leaderOf(cluster);
  return leader === null ? [] : [...(cluster.metrics(leader)?.membership.membership.nodes.keys() ?? [])];
}

describe("a node that is added", () => {
  test("makes a cluster of one node to one of two, has all that was written, and votes", async () => {
    const { cluster, settle, failure } = await startLedgers({ nodes: 1 });
    for (let i = 1; i <= 10; i += 1) await settle(cluster.write(i));
    expect(await settle(cluster.addNode())).toBe(2);
    expect(votersOf(cluster)).toEqual([[1, 2]]);
    expect(await settle(cluster.read((ledger) => ledger.applied.length, 2))).toBe(10);
    // It counts: without it there is no majority any more.
    await settle(cluster.kill(2));
    expect(await failure(cluster.write(11, 500))).toBeInstanceOf(Error);
    await settle(cluster.restart(2));
    await settle(cluster.write(12));
  });

  test("takes the lowest number that is free, or the one that is asked for; the nodes stay in order", async () => {
    const { cluster, settle } = await startLedgers({ nodes: 2 });
    expect(await settle(cluster.addNode(7))).toBe(7);
    expect(cluster.nextId).toBe(3);
    expect(await settle(cluster.addNode())).toBe(3);
    expect(cluster.ids).toEqual([1, 2, 3, 7]);
    expect(cluster.running().map(({ id }) => id)).toEqual([1, 2, 3, 7]);
  });

  test("gets the snapshot when the log was purged", async () => {
    const { cluster, settle } = await startLedgers({ config: { maxInSnapshotLogToKeep: 0 } });
    for (let i = 1; i <= 50; i += 1) await settle(cluster.write(i));
    await settle(cluster.snapshot());
    const purged = await settle(cluster.purgeLog());
    expect(purged.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
    await settle(cluster.addNode());
    expect(cluster.metrics(4)?.snapshot.index).toBeGreaterThanOrEqual(50);
    expect(await settle(cluster.read((ledger) => ledger.applied.length, 4))).toBe(50);
  });

  test("votes already when it is there: nothing is changed", async () => {
    const { cluster, settle, failure } = await startLedgers();
    const error = await failure(cluster.addNode(2));
    expect(error).toBeInstanceOf(NodeExistsError);
    expect(error).toMatchObject({ code: "nodeExists", nodeId: 2 });
    expect(cluster.ids).toEqual([1, 2, 3]);
    await settle(cluster.write(1));
    expect(cluster.node(2)).not.toBeNull();
  });

  test("is none when nobody leads: nothing is left of it", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 2000 });
    for (const id of [1, 2, 3]) await settle(cluster.kill(id));
    await failure(cluster.addNode(), 3000);
    expect(cluster.ids).toEqual([1, 2, 3]);
    for (const id of [1, 2, 3]) await settle(cluster.restart(id));
    await settle(cluster.write(1));
    expect(membersOf(cluster)).toEqual([1, 2, 3]);
  });

  test("that cannot be reached stays a learner, the error says so, and adding it again goes on", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    for (const id of cluster.ids) cluster.network.cut(id, 4);
    const began = failure(cluster.addNode(4), 3000);
    const error = await began;
    expect(error).toBeInstanceOf(NodeNotAddedError);
    expect(error).toMatchObject({ code: "nodeNotAdded", nodeId: 4, left: "learner" });
    expect(error.message).toContain("it runs and is a learner now: add it again to go on, or remove it");
    expect(cluster.ids).toEqual([1, 2, 3, 4]);
    expect(votersOf(cluster)).toEqual([[1, 2, 3]]);
    expect(membersOf(cluster)).toEqual([1, 2, 3, 4]);
    cluster.network.heal();
    expect(await settle(cluster.addNode(4))).toBe(4);
    expect(votersOf(cluster)).toEqual([[1, 2, 3, 4]]);
  });

  test("that became a learner only can be removed again", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    for (const id of cluster.ids) cluster.network.cut(id, 4);
    await failure(cluster.addNode(4), 3000);
    await settle(cluster.removeNode(4));
    expect(cluster.ids).toEqual([1, 2, 3]);
    expect(membersOf(cluster)).toEqual([1, 2, 3]);
  });

  test("whose leader is cut off meanwhile ends as the error says: unknown, and adding it again goes on", async () => {
    const { cluster, clock, settle, failure, leader } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    const old = await leader();
    const others = cluster.ids.filter((id) => id !== old);
    const adding = failure(cluster.addNode(), 5000);
    // The entry that makes it a learner is on its way: nobody will ever answer.
    await clock.runUntil("the change to be in the log", () => membersOf(cluster).includes(4), 1000);
    cluster.network.partition([1], [2], [3], [4]);
    expect(await adding).toMatchObject({ code: "nodeNotAdded", nodeId: 4, left: "unknown" });
    expect(cluster.ids).toContain(4);
    cluster.network.heal();
    expect(others).toHaveLength(2);
    await settle(cluster.addNode(4));
    expect(votersOf(cluster)).toEqual([[1, 2, 3, 4]]);
    await settle(cluster.write(2));
  });

  test("while the leader is killed joins under the next one", async () => {
    for (let at = 0; at < 12; at += 1) {
      const { cluster, clock, settle, leader } = await startLedgers({ seed: 100 + at });
      await settle(cluster.write(1));
      const old = await leader();
      const adding = cluster.addNode();
      await clock.advance(at);
      await settle(cluster.kill(old));
      expect(await settle(adding)).toBe(4);
      await settle(cluster.write(2));
      expect(votersOf(cluster)).toEqual([[1, 2, 3, 4]]);
      expect(await settle(cluster.read((ledger) => [...ledger.applied], 4))).toEqual([1, 2]);
      await settle(cluster.shutdown());
    }
  });

  test("may not be the tenth, nor be no node at all", async () => {
    const { cluster, settle, failure } = await startLedgers({ nodes: 9 });
    await settle(cluster.write(1));
    const error = await failure(cluster.addNode());
    expect(error).toMatchObject({ code: "invalidValue", field: "node" });
    expect(error.message).toBe("node is 10, but it must be one of at most 9: remove another one first");
    for (const id of [0, 1.5, -1])
      expect(await failure(cluster.addNode(id), 0)).toMatchObject({ code: "invalidValue", field: "node" });
  });

  test("whose state machine cannot be made is none", async () => {
    const { cluster, settle, failure, breakStateMachines } = await startLedgers();
    breakStateMachines(new Error("no memory"));
    expect((await failure(cluster.addNode())).message).toBe("no memory");
    expect(cluster.ids).toEqual([1, 2, 3]);
    await settle(cluster.write(1));
  });
});

describe("a node that is removed", () => {
  test.each(["leader", "follower"])("as %s leaves the others in charge, under load", async (role) => {
    const { cluster, clock, settle, leader } = await startLedgers({ nodes: 4 });
    const load = startLoad(4, (command) => cluster.write(command));
    await clock.advance(100);
    const lead = await leader();
    const gone = role === "leader" ? lead : (lead % 4) + 1;
    await settle(cluster.removeNode(gone));
    expect(cluster.ids).not.toContain(gone);
    expect(cluster.ids).toHaveLength(3);
    const before = load.acknowledged.length;
    await clock.advance(1000);
    expect(load.acknowledged.length).toBeGreaterThan(before);
    await settle(load.stop());
    expect(votersOf(cluster)).toEqual([cluster.ids]);
    const applied = await settle(cluster.read((ledger) => [...ledger.applied]));
    expect(new Set(applied).size).toBe(applied.length);
    expect(load.acknowledged.filter((command) => !applied.includes(command))).toEqual([]);
  });

  test("does not count any more: two of five are gone, and two of the three that are left are enough", async () => {
    const { cluster, settle } = await startLedgers({ nodes: 5 });
    await settle(cluster.removeNode(4));
    await settle(cluster.removeNode(5));
    await settle(cluster.kill(3));
    await settle(cluster.write(1));
    expect(await settle(cluster.read((ledger) => [...ledger.applied]))).toEqual([1]);
  });

  test("may be dead", async () => {
    const { cluster, settle } = await startLedgers();
    await settle(cluster.kill(2));
    await settle(cluster.removeNode(2));
    expect(cluster.ids).toEqual([1, 3]);
    expect(votersOf(cluster)).toEqual([[1, 3]]);
  });

  test("may come back under its number, with an empty store", async () => {
    const { cluster, settle } = await startLedgers();
    await settle(cluster.write(1));
    const old = cluster.stateMachine(3);
    await settle(cluster.removeNode(3));
    await settle(cluster.write(2));
    expect(await settle(cluster.addNode())).toBe(3);
    expect(cluster.stateMachine(3)).not.toBe(old);
    expect(await settle(cluster.read((ledger) => [...ledger.applied], 3))).toEqual([1, 2]);
    // Its vote counts: with one other it is a majority.
    await settle(cluster.kill(1));
    await settle(cluster.write(3));
  });

  test("is not the last voter: that one stays", async () => {
    const { cluster, settle, failure } = await startLedgers({ nodes: 1 });
    const error = await failure(cluster.removeNode(1));
    expect(error).toBeInstanceOf(LastVoterError);
    expect(error).toMatchObject({ code: "lastVoter", nodeId: 1 });
    expect(cluster.ids).toEqual([1]);
    await settle(cluster.write(1));
  });

  test("is one that there is", async () => {
    const { cluster, failure } = await startLedgers();
    expect(await failure(cluster.removeNode(4), 0)).toMatchObject({ code: "invalidValue", field: "node" });
  });

  test("runs on while the change cannot be committed, and the error says so", async () => {
    const { cluster, settle, failure, leader } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    const lead = await leader();
    const [dead, asked] = cluster.ids.filter((id) => id !== lead) as [NodeId, NodeId];
    await settle(cluster.kill(dead));
    // Of the two that would be left one is dead: they have no majority.
    const error = await failure(cluster.removeNode(asked), 3000);
    expect(error).toBeInstanceOf(NodeNotRemovedError);
    expect(error).toMatchObject({ code: "nodeNotRemoved", nodeId: asked });
    expect(cluster.ids).toEqual([1, 2, 3]);
    expect(cluster.node(asked)).not.toBeNull();
    await settle(cluster.restart(dead));
    await settle(cluster.removeNode(asked));
    expect(votersOf(cluster)).toEqual([[lead, dead].toSorted((a, b) => a - b)]);
  });

  test("while the leader is killed is removed by the next one", async () => {
    for (let at = 0; at < 12; at += 1) {
      const { cluster, clock, settle, leader } = await startLedgers({ nodes: 5, seed: 200 + at });
      await settle(cluster.write(1));
      const old = await leader();
      const gone = cluster.ids.find((id) => id !== old) as NodeId;
      const removing = cluster.removeNode(gone);
      await clock.advance(at);
      await settle(cluster.kill(old));
      await settle(removing);
      expect(cluster.ids).not.toContain(gone);
      await settle(cluster.write(2));
      expect(votersOf(cluster)).toEqual([cluster.ids]);
      await settle(cluster.shutdown());
    }
  });
});

describe("changes of the members", () => {
  test("asked for at once are made one after the other", async () => {
    const { cluster, settle } = await startLedgers();
    const changes = [cluster.addNode(), cluster.addNode(), cluster.removeNode(1), cluster.addNode(9)];
    expect(await settle(Promise.all(changes))).toEqual([4, 5, undefined, 9]);
    expect(cluster.ids).toEqual([2, 3, 4, 5, 9]);
    expect(votersOf(cluster)).toEqual([[2, 3, 4, 5, 9]]);
  });

  test("of one node asked for at once wait for each other", async () => {
    const { cluster, settle, failure } = await startLedgers();
    const added = cluster.addNode(4);
    const again = failure(cluster.addNode(4));
    const removed = cluster.removeNode(4);
    expect(await settle(added)).toBe(4);
    expect(await again).toBeInstanceOf(NodeExistsError);
    await settle(removed);
    expect(cluster.ids).toEqual([1, 2, 3]);
    expect(membersOf(cluster)).toEqual([1, 2, 3]);
  });

  test("go on under load and through deaths: every node is replaced, and nothing is lost or repeated", async () => {
    const { cluster, clock, settle } = await startLedgers({
      timeoutMs: 60_000,
      config: { snapshotPolicy: { type: "logsSinceLast", entries: 50 }, maxInSnapshotLogToKeep: 0 },
    });
    const load = startLoad(4, (command) => cluster.write(command));
    for (let round = 0; round < 6; round += 1) {
      await settle(cluster.addNode(4 + round));
      await clock.runUntil("a leader", () => leaderOf(cluster) !== null, 5000);
      const lead = leaderOf(cluster) as NodeId;
      if (round % 2 === 0) {
        await settle(cluster.kill(lead));
        await settle(cluster.restart(lead));
      }
      await settle(cluster.removeNode(1 + round));
    }
    await settle(load.stop());
    expect(cluster.ids).toEqual([7, 8, 9]);
    const applied = await settle(cluster.read((ledger) => [...ledger.applied]));
    expect(load.acknowledged.length).toBeGreaterThan(50);
    expect(new Set(applied).size).toBe(applied.length);
    const present = new Set(applied);
    expect(load.acknowledged.filter((command) => !present.has(command))).toEqual([]);
    for (const id of cluster.ids) {
      expect(await settle(cluster.read((ledger) => [...ledger.applied], id))).toEqual(applied);
    }
  });

  test("are settled by a shutdown, and refused after it", async () => {
    const { cluster, settle, failure } = await startLedgers();
    await settle(cluster.write(1));
    for (const id of cluster.ids) cluster.network.cut(id, 4);
    const adding = failure(cluster.addNode(4), 0);
    const waiting = failure(cluster.removeNode(1), 0);
    await settle(cluster.shutdown(), 100);
    await settle(adding, 100);
    expect(await settle(waiting, 100)).toBeInstanceOf(ShutdownError);
    expect(await failure(cluster.addNode(), 0)).toBeInstanceOf(ShutdownError);
    expect(await failure(cluster.removeNode(1), 0)).toBeInstanceOf(ShutdownError);
    expect(await failure(cluster.transferLeader(), 0)).toBeInstanceOf(ShutdownError);
    expect(await failure(cluster.transferLeader(1), 0)).toBeInstanceOf(NodeDownError);
  });
});

describe("the leadership", () => {
  test("goes to the node that is named, and to another one by itself", async () => {
    const { cluster, settle, leader } = await startLedgers();
    for (const to of [2, 3, 1, 1]) {
      await leader();
      expect(await settle(cluster.transferLeader(to))).toBe(to);
      expect(leaderOf(cluster)).toBe(to);
      await settle(cluster.write(to));
    }
    const next = await settle(cluster.transferLeader());
    expect(next).not.toBe(1);
    expect(leaderOf(cluster)).toBe(next);
  });

  test("goes on under load without an error: writes wait for it", async () => {
    const { cluster, clock, settle } = await startLedgers();
    const load = startLoad(8, (command) => cluster.write(command));
    for (let i = 0; i < 10; i += 1) {
      await clock.advance(50);
      await clock.runUntil("a leader", () => leaderOf(cluster) !== null, 5000);
      await settle(cluster.transferLeader(((leaderOf(cluster) as NodeId) % 3) + 1));
    }
    await settle(load.stop());
    const applied = await settle(cluster.read((ledger) => [...ledger.applied]));
    expect(new Set(applied).size).toBe(applied.length);
    expect(load.acknowledged).toHaveLength(applied.length);
  });

  test("stays where it is when the other node cannot take over in time", async () => {
    const { cluster, clock, settle, failure, leader } = await startLedgers();
    await settle(cluster.write(1));
    const lead = await leader();
    const other = cluster.ids.find((id) => id !== lead) as NodeId;
    cluster.network.cut(lead, other);
    cluster.network.cut(other, lead);
    const began = clock.now;
    const error = await failure(cluster.transferLeader(other), 2000);
    expect(error).toBeInstanceOf(TransferFailedError);
    expect(error).toMatchObject({ target: other, reason: "timeout" });
    expect(clock.now - began).toBeLessThanOrEqual(1100);
    await settle(cluster.write(2));
  });

  test("is not given to a node that is dead, unknown, or no voter, nor by a node alone", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    for (const id of cluster.ids) cluster.network.cut(id, 4);
    await failure(cluster.addNode(4), 3000);
    expect(await failure(cluster.transferLeader(4))).toMatchObject({
      code: "transferFailed",
      reason: "notAVoter",
    });
    expect(await failure(cluster.transferLeader(5), 0)).toMatchObject({
      code: "invalidValue",
      field: "node",
    });
    await settle(cluster.kill(2));
    expect(await failure(cluster.transferLeader(2), 0)).toMatchObject({ code: "nodeDown", nodeId: 2 });
    const alone = await startLedgers({ nodes: 1 });
    await alone.settle(alone.cluster.write(1));
    expect(await alone.failure(alone.cluster.transferLeader())).toBeInstanceOf(InvalidChangeError);
  });
});

describe("snapshots and logs", () => {
  test("are taken and purged on one node or on all, and a node that was away gets the snapshot", async () => {
    const { cluster, clock, settle, failure, leader } = await startLedgers();
    for (let i = 1; i <= 20; i += 1) await settle(cluster.write(i));
    await clock.advance(200);
    const lead = await leader();
    const away = cluster.ids.find((id) => id !== lead) as NodeId;
    await settle(cluster.kill(away));
    for (let i = 21; i <= 40; i += 1) await settle(cluster.write(i));
    // Without a snapshot there is nothing to purge.
    expect(await settle(cluster.purgeLog(lead))).toEqual([{ nodeId: lead, logId: { term: 0, index: 0 } }]);
    const [snapshot] = await settle(cluster.snapshot(lead));
    expect(snapshot).toEqual({ nodeId: lead, logId: cluster.lastApplied(lead) });
    // The configuration keeps a thousand entries behind it; a purge by hand does not.
    expect(cluster.metrics(lead)?.purged.index).toBe(0);
    expect(await settle(cluster.purgeLog(lead))).toEqual([snapshot]);
    expect(cluster.metrics(lead)?.purged).toEqual(snapshot?.logId);
    expect((await settle(cluster.purgeLog())).map(({ nodeId }) => nodeId)).toEqual(
      cluster.ids.filter((id) => id !== away),
    );
    expect(await failure(cluster.snapshot(away), 0)).toMatchObject({ code: "nodeDown", nodeId: away });
    expect(await failure(cluster.purgeLog(away), 0)).toMatchObject({ code: "nodeDown", nodeId: away });

    // What was sent before the purge is not on its way any more.
    await clock.advance(200);
    await settle(cluster.restart(away));
    await clock.runUntil(
      "the snapshot",
      () => cluster.metrics(away)?.snapshot.index === snapshot?.logId.index,
      5000,
    );
    expect(await settle(cluster.read((ledger) => ledger.applied.length, away))).toBe(40);
  });
});
