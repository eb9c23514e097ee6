import { ForeignStoreError, InvalidValueError, createMembership } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { until } from "../src/condition.js";
import { recover } from "../src/recover.js";
import type { RecoverOptions, RecoveryReport } from "../src/recover.js";
import type { BasicNode, BytesTypeConfig, NodeId } from "@seshat/common";
import { RecordingLogger } from "./support/instruments.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor, setCommand, voters } from "./support/values.js";

const THREE = [1, 2, 3] as const;

function recoverNode(
  cluster: TestCluster,
  id: NodeId,
  nodes: NodeId[],
  options: Partial<RecoverOptions<BytesTypeConfig>> = {},
): Promise<RecoveryReport<BasicNode>> {
  const storage = cluster.storage(id);
  return cluster.run(
    recover<BytesTypeConfig>({
      id,
      storage,
      stateMachine: storage.stateMachine,
      nodes: nodesFor(...nodes),
      runtime: cluster.clock.runtime({ next: () => 0.5 } as never),
      ...options,
    }),
  );
}

/** Everything that a storage holds. */
function contentOf(cluster: TestCluster, id: NodeId): unknown {
  const storage = cluster.storage(id);
  return structuredClone([
    storage.readVote(),
    storage.readLogState(),
    cluster.log(id),
    storage.readIdentity(),
  ]);
}

describe("recover", () => {
  test("gives the cluster to the survivor, with all that it has; the others join again with empty stores", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    const { lastLogId, membership, term } = leader.metrics();
    for (const id of THREE) await cluster.stop(id);
    const logger = new RecordingLogger();
    const report = await recoverNode(cluster, 2, [2], { logger });
    expect(report).toMatchObject({ before: membership, adoptedEntries: 0, committed: lastLogId });
    expect(report.after.logId).toEqual({ term: term + 1, index: lastLogId.index + 1 });
    expect(report.after.membership.configs).toEqual([[2]]);
    expect(logger.of("raft.recovered")).toHaveLength(1);

    const survivor = await cluster.start(2);
    await cluster.run(survivor.raft.wait(until.state("leader"), 5000));
    await cluster.set(survivor, "b", "2");
    expect(cluster.get(2, "a")).toBe("1");
    for (const id of [1, 3]) {
      cluster.erase(id);
      await cluster.start(id);
      await cluster.run(survivor.addLearner(id, { addr: `again-${id}` }, { blocking: true }));
    }
    await cluster.run(survivor.changeMembership(THREE));
    await cluster.converge();
    for (const id of THREE) expect(cluster.get(id, "b")).toBe("2");
    await cluster.stop(2);
    await cluster.set(await cluster.waitForLeader([1, 3]), "c", "3");
  });

  test("counts what the survivor has of unfinished writes, and says how much that is", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.converge();
    cluster.network.partition([leader.id], cluster.others(leader.id));
    const { committed } = leader.metrics();
    for (let i = 0; i < 3; i++) void outcomeOf(leader.propose(setCommand(`k${i}`, "1")));
    await cluster.clock.advance(10);
    for (const id of THREE) await cluster.stop(id);
    const report = await recoverNode(cluster, leader.id, [leader.id]);
    expect(report).toMatchObject({ committed, adoptedEntries: 3 });
    const survivor = await cluster.start(leader.id);
    await cluster.run(survivor.raft.wait(until.applied(report.after.logId.index), 5000));
    expect(cluster.get(leader.id, "k2")).toBe("1");
  });

  test("several survivors vote together: the one with the longest log brings the others up", async () => {
    const cluster = new TestCluster([1, 2, 3, 4, 5]);
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    for (const id of cluster.ids) await cluster.stop(id);
    await recoverNode(cluster, 1, [1, 2]);
    for (const id of [1, 2]) await cluster.start(id);
    const next = await cluster.waitForLeader([1, 2]);
    expect(next.id).toBe(1);
    await cluster.set(next, "b", "2");
    expect(next.metrics().membership.membership.configs).toEqual([[1, 2]]);
    await cluster.run(cluster.node(2).raft.wait(until.applied(next.metrics().lastApplied.index), 5000));
    expect(cluster.get(2, "b")).toBe("2");
  });

  test("ends a joint config that was in force, committed or not", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    for (const id of [4, 5]) {
      await cluster.start(id);
      await cluster.run(leader.addLearner(id, { addr: String(id) }, { blocking: true }));
    }
    await cluster.converge();
    cluster.network.partition([leader.id], [...cluster.others(leader.id), 4, 5]);
    void outcomeOf(leader.changeMembership([leader.id, 4, 5]));
    await cluster.clock.advance(10);
    for (const id of [1, 2, 3, 4, 5]) await cluster.stop(id);
    const report = await recoverNode(cluster, leader.id, [leader.id]);
    expect(report.before.membership.configs).toHaveLength(2);
    const survivor = await cluster.start(leader.id);
    await cluster.run(survivor.raft.wait(until.voters([leader.id]), 1000));
    await cluster.run(survivor.raft.wait(until.state("leader"), 5000));
    await cluster.set(survivor, "a", "1");
    expect([...survivor.metrics().membership.membership.nodes.keys()]).toEqual([leader.id]);
  });

  test("goes on from a snapshot with the log behind it purged", async () => {
    const cluster = new TestCluster(THREE, { maxInSnapshotLogToKeep: 0 });
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    for (const id of THREE) await cluster.run(cluster.node(id).triggerSnapshot());
    await cluster.clock.advance(1000);
    for (const id of THREE) await cluster.stop(id);
    expect(cluster.log(3)).toEqual([]);
    await recoverNode(cluster, 3, [3]);
    const survivor = await cluster.start(3);
    await cluster.run(survivor.raft.wait(until.state("leader"), 5000));
    await cluster.set(survivor, "b", "2");
    expect([cluster.get(3, "a"), cluster.get(3, "b")]).toEqual(["1", "2"]);
  });

  test("can be done again", async () => {
    const cluster = new TestCluster(THREE);
    await cluster.found();
    await cluster.converge();
    for (const id of THREE) await cluster.stop(id);
    const first = await recoverNode(cluster, 1, [1, 2]);
    const second = await recoverNode(cluster, 1, [1]);
    expect(second.before).toEqual(first.after);
    const survivor = await cluster.start(1);
    await cluster.run(survivor.raft.wait(until.state("leader"), 5000));
  });

  test("what makes no sense is refused by name, and nothing is changed", async () => {
    const cluster = new TestCluster(THREE);
    await cluster.found();
    await cluster.converge();
    for (const id of THREE) await cluster.stop(id);
    const before = contentOf(cluster, 1);
    for (const [nodes, options, field] of [
      [[2, 3], {}, "nodes"],
      [[], {}, "membership.configs"],
      [[1], { nodes: undefined as never }, "nodes"],
      [[1], { nodes: [7] as never }, "nodes"],
      [[1], { id: 0 }, "id"],
      [[1], { config: { clusterId: "" } }, "config.clusterId"],
    ] as const) {
      const error = await rejection(recoverNode(cluster, 1, [...nodes], options));
      expect(error, field).toBeInstanceOf(InvalidValueError);
      expect(error).toMatchObject({ field });
    }
    for (const [nodes, options] of [
      [[1], { config: { clusterId: "other" } }],
      [[1, 2], { id: 2 }],
    ] as const) {
      const error = await rejection(recoverNode(cluster, 1, [...nodes], options));
      expect(error).toBeInstanceOf(ForeignStoreError);
    }
    expect(contentOf(cluster, 1)).toEqual(before);
  });

  test("a store that belongs to no cluster is refused, and not even marked", async () => {
    const cluster = new TestCluster([1]);
    const error = await rejection(recoverNode(cluster, 1, [1]));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field: "storage" });
    expect(cluster.storage(1).readIdentity()).toBeNull();
    // Started once and never a member: the same.
    await cluster.start(1);
    await cluster.stop(1);
    expect(await rejection(recoverNode(cluster, 1, [1]))).toMatchObject({ field: "storage" });
    expect(cluster.storage(1).readVote()).toBeNull();
  });

  test.each(["saveVote", "append"] as const)(
    "a storage that fails at %s leaves a node that starts as it was, and that can be recovered again",
    async (call) => {
      const cluster = new TestCluster(THREE);
      const leader = await cluster.found();
      await cluster.set(leader, "a", "1");
      await cluster.converge();
      for (const id of THREE) await cluster.stop(id);
      const storage = cluster.storage(1);
      const before = cluster.log(1).length;
      storage.failures.set(call, new Error("disk full"));
      const error = await rejection(recoverNode(cluster, 1, [1]));
      expect(error).toMatchObject({ code: "storage" });
      expect(error.message).toContain("disk full");
      storage.failures.clear();
      expect(cluster.log(1)).toHaveLength(before);
      const again = await cluster.start(1);
      expect(again.metrics().membership.membership.configs).toEqual([THREE]);
      expect(again.metrics().state).toBe("follower");
      await cluster.stop(1);
      await recoverNode(cluster, 1, [1]);
      await cluster.run((await cluster.start(1)).raft.wait(until.state("leader"), 5000));
    },
  );

  test("an append that is never durable is an error too, and recovery waits for the one that is", async () => {
    const cluster = new TestCluster(THREE);
    await cluster.found();
    await cluster.converge();
    for (const id of THREE) await cluster.stop(id);
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const failing = outcomeOf(recoverNode(cluster, 1, [1]));
    await cluster.clock.advance(100);
    expect(failing).toEqual({ values: [], errors: [] });
    storage.completeHeld(new Error("sync failed"));
    await cluster.clock.advance(0);
    expect(failing.errors[0]?.message).toContain("sync failed");
  });

  test("the vote is of a term that the survivor has never seen", async () => {
    const cluster = new TestCluster([1]);
    await cluster.found();
    await cluster.stop(1);
    cluster.storage(1).saveVote({ term: 40, votedFor: 3, committed: true });
    const { after } = await recoverNode(cluster, 1, [1]);
    expect(after.logId.term).toBe(41);
    expect(cluster.storage(1).readVote()).toEqual({ term: 41, votedFor: 1, committed: false });
    const { incarnation } = (await cluster.start(1)).metrics();
    expect(after.membership).toEqual(
      createMembership([[1]], voters(1).nodes, { incarnations: [[1, incarnation]] }),
    );
  });
});
