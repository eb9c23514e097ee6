import type { NodeId } from "@seshat/common";
import {
  AlreadyInitializedError,
  ForeignNodeError,
  ForeignStoreError,
  InvalidValueError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import { addressed } from "./support/addressed.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { MANY_PARTS, SnapshotTraffic, writeMany } from "./support/snapshot-traffic.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, setCommand, voters } from "./support/values.js";

const IDS = [1, 2, 3] as const;

function addr(id: NodeId): { addr: string } {
  return { addr: `10.0.0.${id}:7000` };
}

/** A cluster of three in which the disk of one follower was erased while it was down. */
async function withErased(
  cluster: TestCluster,
): Promise<{ leader: RaftNode; erased: NodeId; other: NodeId }> {
  const leader = await cluster.found();
  await cluster.set(leader, "a", "1");
  await cluster.converge();
  const [erased, other] = cluster.others(leader.id) as [NodeId, NodeId];
  await cluster.stop(erased);
  cluster.erase(erased);
  await cluster.start(erased);
  return { leader, erased, other };
}

describe("an erased disk cannot make a second quorum", () => {
  test("its votes count for nothing: the two that are left of three elect nobody", async () => {
    const cluster = new TestCluster(IDS);
    const { leader, erased, other } = await withErased(cluster);
    cluster.network.partition([leader.id], [erased, other]);
    await cluster.clock.advance(20_000);
    expect([cluster.node(erased).isLeader(), cluster.node(other).isLeader()]).toEqual([false, false]);
    expect(cluster.node(erased).metrics()).toMatchObject({
      state: "learner",
      term: 0,
      lastLogId: logId(0, 0),
    });
    cluster.network.heal();
    const next = await cluster.waitForLeader([leader.id, other]);
    await cluster.set(next, "b", "2");
    expect(cluster.get(other, "a")).toBe("1");
  });

  test("its acknowledgements count for nothing: a leader that reaches nobody else commits nothing", async () => {
    const cluster = new TestCluster(IDS);
    const { leader, erased, other } = await withErased(cluster);
    cluster.network.partition([leader.id, erased], [other]);
    const { committed } = leader.metrics();
    const write = outcomeOf(leader.propose(setCommand("b", "2")));
    await cluster.clock.advance(5000);
    expect(write.values).toEqual([]);
    expect(leader.metrics().committed).toEqual(committed);
    expect(leader.isLeader()).toBe(false);
    // It was given nothing either, for it is not the one that is meant.
    expect(cluster.storage(erased).log.lastLogId).toEqual(logId(0, 0));
  });

  test("removed and added again, it is a voter like any other", async () => {
    const cluster = new TestCluster(IDS);
    const { leader, erased, other } = await withErased(cluster);
    const before = leader.metrics().membership.membership.incarnations.get(erased);
    await cluster.run(leader.changeMembership([leader.id, other]));
    await cluster.run(leader.addLearner(erased, addr(erased), { blocking: true }));
    await cluster.run(leader.changeMembership([...IDS]));
    const now = leader.metrics().membership.membership.incarnations.get(erased);
    expect(now).toBe(cluster.storage(erased).readIdentity()?.incarnation);
    expect(now).not.toBe(before);
    await cluster.converge();
    // With it there is a majority again.
    await cluster.stop(other);
    await cluster.set(await cluster.waitForLeader([leader.id, erased]), "c", "3");
    expect(cluster.get(erased, "a")).toBe("1");
  });

  test("of the leader: it does not come back as one, and the others go on", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.set(old, "a", "1");
    await cluster.converge();
    await cluster.stop(old.id);
    cluster.erase(old.id);
    await cluster.start(old.id);
    const next = await cluster.waitForLeader(cluster.others(old.id));
    await cluster.set(next, "b", "2");
    await cluster.clock.advance(5000);
    expect(cluster.node(old.id).metrics()).toMatchObject({ state: "learner", lastLogId: logId(0, 0) });
    expect(cluster.history.some((line) => /rpc.failed.*another store/.test(line))).toBe(true);
  });

  test("founding it anew makes no second cluster", async () => {
    const cluster = new TestCluster(IDS);
    const { leader, erased, other } = await withErased(cluster);
    const founding = cluster.node(erased).initialize(IDS.map((id) => [id, addr(id)]));
    expect(await rejection(cluster.run(founding))).toBeInstanceOf(AlreadyInitializedError);
    await cluster.clock.advance(10_000);
    expect(cluster.node(erased).isLeader()).toBe(false);
    const next = await cluster.waitForLeader([leader.id, other]);
    await cluster.set(next, "b", "2");
    expect(cluster.get(other, "b") ?? cluster.get(next.id, "b")).toBe("2");
  });
});

describe("a learner that lost its store", () => {
  test("begins anew, with entries or with a snapshot in parts", async () => {
    for (const config of [{}, MANY_PARTS]) {
      const cluster = new TestCluster(IDS, config);
      const traffic = new SnapshotTraffic(cluster);
      const leader = await cluster.found();
      await cluster.start(4);
      await cluster.run(leader.addLearner(4, addr(4), { blocking: true }));
      await writeMany(cluster, leader, 60);
      await cluster.converge();
      await cluster.stop(4);
      cluster.erase(4);
      traffic.parts.length = 0;
      await cluster.start(4);
      await cluster.set(leader, "key 0", "later");
      await cluster.converge();
      expect([cluster.get(4, "key 0"), cluster.get(4, "key 59")]).toEqual(["later", "v".repeat(40)]);
      expect(traffic.parts.length > 0).toBe(config === MANY_PARTS);
      expect(leader.isLeader()).toBe(true);
    }
  });
});

describe("a store that is not this node's", () => {
  test("of another node, or of another cluster, is refused at start, and stays as it was", async () => {
    const cluster = new TestCluster([1]);
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    await cluster.stop(1);
    const storage = cluster.storage(1);
    const calls = storage.calls.length;
    expect(await rejection(cluster.start(2, { storage }))).toBeInstanceOf(ForeignStoreError);
    expect(await rejection(cluster.start(1, { config: { clusterId: "other" } }))).toBeInstanceOf(
      ForeignStoreError,
    );
    expect(storage.calls).toHaveLength(calls);
    await cluster.start(1);
    await cluster.waitForLeader();
    expect(cluster.get(1, "a")).toBe("1");
  });
});

describe("requests at the door of a node", () => {
  const vote = { term: 5, candidateId: 2, lastLogId: logId(4, 9), transfer: false };
  const append = { term: 5, leaderId: 2, prevLogId: logId(0, 0), entries: [], leaderCommit: 0 };
  const snapshot = {
    term: 5,
    leaderId: 2,
    meta: {
      lastLogId: logId(4, 9),
      lastMembership: { logId: logId(0, 1), membership: voters(1, 2, 3) },
      snapshotId: "9",
    },
    size: 0,
    offset: 0,
    data: new Uint8Array(0),
  };
  const timeoutNow = { term: 5, leaderId: 2, lastLogId: logId(4, 9) };

  /** Every kind of request to `node` from node 2, with some of its header replaced, and some of its body. */
  function everyRequest({ raft }: RaftNode, header: object, body: object = {}): Promise<unknown>[] {
    return [
      raft.preVote(addressed(2, 1, { ...vote, ...body }, header)),
      raft.vote(addressed(2, 1, { ...vote, ...body }, header)),
      raft.appendEntries(addressed(2, 1, { ...append, ...body }, header)),
      raft.installSnapshot(addressed(2, 1, { ...snapshot, ...body }, header)),
      raft.timeoutNow(addressed(2, 1, { ...timeoutNow, ...body }, header)),
    ];
  }

  test.each<[string, object]>([
    ["of another cluster", { clusterId: "other" }],
    ["for another node", { to: 3 }],
    ["for this node on another store", { toIncarnation: 5 }],
    ["that claim to be from this node", { from: 1 }],
  ])("%s are refused, each of them, and change nothing", async (_, header) => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    const readIndex = node.raft.readIndex(addressed(2, 1, { lease: false }, header));
    for (const call of [...everyRequest(node, header), readIndex]) {
      expect(await rejection(call)).toBeInstanceOf(ForeignNodeError);
    }
    await cluster.clock.advance(0);
    expect(node.metrics().term).toBe(0);
    expect(cluster.storage(1).calls).toEqual([]);
  });

  test("that speak for somebody else than their sender are refused by the field", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    for (const call of everyRequest(node, {}, { candidateId: 3, leaderId: 3 })) {
      const error = await rejection(call);
      expect(error).toBeInstanceOf(InvalidValueError);
      expect((error as InvalidValueError).field).toMatch(/\.(candidateId|leaderId)$/);
    }
    expect(cluster.storage(1).calls).toEqual([]);
  });

  test("without a header are refused", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    expect(await rejection(node.raft.vote(vote as never))).toMatchObject({ field: "header" });
    expect(await rejection(node.raft.vote(null as never))).toMatchObject({ field: "vote" });
  });

  test("are answered with who this node is, and on which store", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    const header = { from: 1, incarnation: cluster.storage(1).readIdentity()?.incarnation };
    for (const call of everyRequest(node, {})) expect(await cluster.run(call)).toMatchObject({ header });
    expect(await cluster.run(node.raft.readIndex(addressed(2, 1, { lease: false })))).toEqual({
      readIndex: null,
      header,
    });
  });

  test("from another store than an old membership names are taken: they may be what replaces it", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const [first, second] = cluster.others(leader.id) as [NodeId, NodeId];
    const { term, lastLogId } = cluster.node(first).metrics();
    const request = { term: term + 1, leaderId: second, prevLogId: lastLogId, entries: [], leaderCommit: 0 };
    const answer = await cluster.run(
      cluster.node(first).raft.appendEntries(addressed(second, first, request, { incarnation: 99 })),
    );
    expect(answer).toMatchObject({ type: "success", term: term + 1 });
  });
});

describe("who moved, or was removed", () => {
  test("a follower with a window full of what was lost goes on at its new address", async () => {
    const cluster = new TestCluster(IDS, { maxPayloadBytes: 500, maxInFlightBytes: 1000 });
    const leader = await cluster.found();
    await cluster.converge();
    const moved = cluster.others(leader.id)[0] as NodeId;
    cluster.intercept = (call, send) =>
      call.to === moved && call.entries.length > 0 ? new Promise(() => {}) : send();
    await writeMany(cluster, leader, 30);
    cluster.intercept = (_, send) => send();
    await cluster.run(
      leader.changeMembership({ type: "setNodes", nodes: [[moved, { addr: "elsewhere:1" }]] }),
    );
    const before = cluster.clock.now;
    await cluster.converge();
    expect(cluster.clock.now - before).toBeLessThan(1000);
    expect(cluster.get(moved, "key 29")).toBe("v".repeat(40));
  });

  test("a read that a follower forwarded to a leader that is removed settles", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const [reader, other] = cluster.others(leader.id) as [NodeId, NodeId];
    cluster.intercept = (call, send) => (call.rpc === "readIndex" ? new Promise(() => {}) : send());
    const read = outcomeOf(cluster.node(reader).ensureLinearizable());
    await cluster.run(leader.changeMembership([reader, other]));
    await cluster.waitForLeader([reader, other]);
    await cluster.clock.advance(1000);
    expect(read.values.length + read.errors.length).toBe(1);
  });
});
