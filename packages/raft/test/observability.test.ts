import type { NodeId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { until } from "../src/condition.js";
import type { RaftNode } from "../src/raft-node.js";
import { RecordingLogger, RecordingTracer } from "./support/instruments.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand } from "./support/values.js";

const THREE = [1, 2, 3] as const;

async function three(config = {}): Promise<{ cluster: TestCluster; leader: RaftNode; others: NodeId[] }> {
  const cluster = new TestCluster(THREE, config);
  const leader = await cluster.found();
  await cluster.converge();
  return { cluster, leader, others: cluster.others(leader.id) };
}

describe("metrics", () => {
  test("of a leader say how far each of the others is, and how old that knowledge is", async () => {
    const { cluster, leader, others } = await three();
    const [one, two] = others as [NodeId, NodeId];
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    cluster.network.partition([leader.id, one], [two]);
    await cluster.set(leader, "a", "2");
    await cluster.set(leader, "a", "3");
    await cluster.clock.advance(200);
    const { replication, sinceQuorumAckMs, lastLogId, committed } = leader.metrics();
    expect(committed).toEqual(lastLogId);
    expect(replication?.get(one)).toMatchObject({ matchIndex: lastLogId.index, lag: 0, mode: "pipeline" });
    expect(replication?.get(one)?.sinceLastAckMs).toBeLessThanOrEqual(50);
    expect(replication?.get(two)).toMatchObject({ matchIndex: lastLogId.index - 2, lag: 2, snapshot: null });
    expect(replication?.get(two)?.sinceLastAckMs).toBeGreaterThanOrEqual(200);
    expect(sinceQuorumAckMs).toBeLessThanOrEqual(50);
    expect(cluster.node(one).metrics()).toMatchObject({ replication: null, sinceQuorumAckMs: null });
  });

  test("are a picture: what was handed out never changes, whatever happens", async () => {
    const { cluster, leader, others } = await three({
      snapshotPolicy: { type: "logsSinceLast", entries: 5 },
    });
    const taken = [leader, ...others.map((id) => cluster.node(id))].map((node) => node.metrics());
    const copies = taken.map((metrics) => structuredClone(metrics));
    for (let i = 0; i < 20; i++) await cluster.set(leader, "a", String(i));
    leader.raft.configure({ heartbeat: false });
    await cluster.start(4);
    await cluster.run(leader.addLearner(4, { addr: "x" }, { blocking: true }));
    await cluster.run(leader.transferLeader());
    await cluster.stop(leader.id);
    expect(taken).toEqual(copies);
  });

  test("say that a snapshot is on its way, and how far it is", async () => {
    const { cluster, leader, others } = await three({
      snapshotPolicy: { type: "logsSinceLast", entries: 10 },
      maxInSnapshotLogToKeep: 0,
      maxLogToKeepForFollowers: 0,
      snapshotChunkBytes: 100,
    });
    const [slow, other] = others as [NodeId, NodeId];
    cluster.network.partition([slow], [leader.id, other]);
    for (let i = 0; i < 40; i++) {
      await cluster.set(leader, `k${i}`, "v".repeat(20));
      await cluster.clock.advance(20);
    }
    cluster.network.setFaults({ minLatencyMs: 5, maxLatencyMs: 5 });
    cluster.network.heal();
    const seen: number[] = [];
    const look = (): boolean => {
      const progress = leader.metrics().replication?.get(slow);
      if (progress?.mode === "snapshot" && progress.snapshot !== null) {
        expect(progress.snapshot.size).toBeGreaterThan(200);
        seen.push(progress.snapshot.offset);
      }
      return progress?.mode === "pipeline" && progress.lag === 0;
    };
    await cluster.clock.runUntil("the follower to catch up", look, 20_000);
    const steps = [...new Set(seen)];
    expect(steps.length).toBeGreaterThan(3);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(leader.metrics().replication?.get(slow)?.snapshot).toBeNull();
  });

  test("say what storage hangs in", async () => {
    const cluster = new TestCluster([1], { storageStallMs: 100 });
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    void outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(100);
    expect(node.metrics().storageStalled).toBe("append");
    storage.holdsCompletions = false;
    storage.completeHeld();
    await cluster.clock.advance(1000);
    expect(node.metrics()).toMatchObject({ storageStalled: null, state: "leader" });
  });
});

describe("until", () => {
  test("has what is waited for most often: each comes true when it does, and not before", async () => {
    const cluster = new TestCluster([1], { maxInSnapshotLogToKeep: 0, snapshotPolicy: { type: "never" } });
    const node = await cluster.start(1);
    const names = {
      leader: until.leader(),
      leader1: until.leader(1),
      leader2: until.leader(2),
      state: until.state("leader"),
      lastLog: until.lastLog(4),
      committed: until.committed(4),
      applied: until.applied(4),
      snapshot: until.snapshot(4),
      purged: until.purged(4),
      voters: until.voters([1]),
      others: until.voters([1, 2]),
      replicated: until.replicated(2, 1),
    };
    const waits = Object.entries(names).map(
      ([name, condition]) => [name, outcomeOf(node.raft.wait(condition, 1_000_000))] as const,
    );
    const done = (): string[] => waits.filter(([, { values }]) => values.length > 0).map(([name]) => name);
    await cluster.clock.advance(1000);
    expect(done()).toEqual([]);
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    expect(done()).toEqual(["leader", "leader1", "state", "voters"]);
    await cluster.set(node, "a", "1");
    await cluster.set(node, "a", "2");
    expect(done()).toEqual(["leader", "leader1", "state", "lastLog", "committed", "applied", "voters"]);
    await cluster.run(node.triggerSnapshot());
    await cluster.clock.advance(0);
    expect(done()).toEqual([
      "leader",
      "leader1",
      "state",
      "lastLog",
      "committed",
      "applied",
      "snapshot",
      "purged",
      "voters",
    ]);
    await cluster.start(2);
    await cluster.run(node.addLearner(2, { addr: "x" }, { blocking: true }));
    await cluster.clock.advance(100);
    expect(done()).toContain("replicated");
    expect(done()).not.toContain("others");
    await cluster.run(node.changeMembership([2, 1]));
    expect(done()).toContain("others");
    await cluster.run(node.transferLeader());
    await cluster.clock.advance(100);
    expect(done()).toHaveLength(12);
  });

  test.each<[unknown, string]>([
    [() => true, "condition"],
    [null, "condition"],
    [{ holds: () => true }, "condition.what"],
    [{ what: "x" }, "condition.holds"],
  ])("what is no condition is refused: %o", async (condition, field) => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const error = await rejection(node.raft.wait(condition as never, 1000));
    expect(error).toMatchObject({ code: "invalidValue", field });
  });

  test("a condition may be an object of a class", async () => {
    class Term {
      readonly what = "a term";
      readonly #least: number;
      constructor(least: number) {
        this.#least = least;
      }
      holds({ term }: { term: number }): boolean {
        return term >= this.#least;
      }
    }
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    expect((await cluster.run(node.raft.wait(new Term(1), 1000))).term).toBe(1);
  });
});

describe("changes", () => {
  test("a value now, and each other one; what comes between two reads is left out; it ends with the node", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const states = node.raft.changes(({ state }) => state);
    expect(await states.next()).toEqual({ done: false, value: "learner" });
    const second = outcomeOf(states.next());
    await cluster.clock.advance(1000);
    expect(second.values).toEqual([]);
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    expect(second.values).toHaveLength(1);
    const applied = node.raft.changes(({ lastApplied }) => lastApplied.index);
    const first = await applied.next();
    for (let i = 0; i < 10; i++) await cluster.set(node, "a", String(i));
    // Ten changes, one value.
    expect(await applied.next()).toEqual({ done: false, value: (first.value as number) + 10 });
    const last = outcomeOf(states.next());
    await cluster.stop(1);
    await cluster.clock.advance(0);
    const seen: string[] = last.values.map(({ value }) => String(value));
    for await (const state of states) seen.push(state);
    expect(seen.at(-1)).toBe("stopped");
    expect(await applied.next()).toEqual({ done: true, value: undefined });
    expect(await node.raft.changes(({ state }) => state).next()).toEqual({ done: false, value: "stopped" });
  });
});

describe("onLeaderChange", () => {
  test("tells each other leader, and none, and the end; once it is ended it tells nothing", async () => {
    const { cluster, leader, others } = await three();
    const seen: (NodeId | null)[] = [];
    const ended: (NodeId | null)[] = [];
    const [one] = others as [NodeId];
    cluster.node(one).raft.onLeaderChange((id) => seen.push(id));
    cluster.node(one).raft.onLeaderChange((id) => ended.push(id))();
    await cluster.set(leader, "a", "1");
    expect(seen).toEqual([]);
    await cluster.run(leader.transferLeader({ to: one }));
    await cluster.stop(one);
    expect(seen.filter((id) => id !== null)).toEqual([one]);
    expect(seen.at(-1)).toBeNull();
    expect(ended).toEqual([]);
  });

  test("a listener that throws is logged, and stops neither the node nor the other listeners", async () => {
    const cluster = new TestCluster([1]);
    const logger = new RecordingLogger();
    const node = await cluster.start(1, { logger });
    const seen: (NodeId | null)[] = [];
    node.raft.onLeaderChange(() => {
      throw new Error("bug in the listener");
    });
    node.raft.onLeaderChange((id) => seen.push(id));
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    await cluster.set(node, "a", "1");
    expect(seen).toEqual([1]);
    expect(logger.of("raft.listener.failed")).toEqual([{ node: 1, error: "bug in the listener" }]);
    await cluster.run(node.shutdown());
    expect(logger.of("raft.listener.failed")).toHaveLength(2);
  });
});

describe("latencies", () => {
  test("tell how long the writes took to each stage, on the leader that proposed them and nowhere else", async () => {
    const { cluster, leader, others } = await three();
    expect(leader.raft.latencies().applied.count).toBe(0);
    cluster.network.setFaults({ minLatencyMs: 10, maxLatencyMs: 10 });
    for (let i = 0; i < 5; i++) await cluster.set(leader, "a", "1");
    const { appended, committed, applied } = leader.raft.latencies();
    expect([appended.count, committed.count, applied.count]).toEqual([5, 5, 5]);
    expect(appended.maxMs).toBe(0);
    expect([committed.maxMs, applied.maxMs]).toEqual([20, 20]);
    expect(committed.p50Ms).toBeGreaterThanOrEqual(20 / 1.02);
    expect(applied.p99Ms).toBeLessThanOrEqual(20);
    for (const id of others) expect(cluster.node(id).raft.latencies().appended.count).toBe(0);
  });

  test("of writes that came to nothing are not told", async () => {
    const { cluster, leader, others } = await three();
    cluster.network.partition([leader.id], others);
    void outcomeOf(leader.propose(setCommand("a", "1")));
    await cluster.clock.advance(2000);
    cluster.network.heal();
    await cluster.clock.advance(2000);
    expect(leader.raft.latencies()).toMatchObject({ appended: { count: 1 }, committed: { count: 0 } });
  });
});

describe("tracing", () => {
  /** What is done to a cluster of three, so that everything happens at least once. */
  async function eventfulLife(tracer: RecordingTracer | undefined, logger: RecordingLogger): Promise<void> {
    const cluster = new TestCluster(THREE, {
      snapshotPolicy: { type: "logsSinceLast", entries: 10 },
      maxInSnapshotLogToKeep: 0,
      maxLogToKeepForFollowers: 0,
      snapshotChunkBytes: 100,
    });
    const options = tracer === undefined ? { logger } : { logger, tracer };
    for (const id of [1, 2, 3, 4]) await cluster.start(id, options);
    await cluster.run(cluster.node(1).initialize(nodesFor(1, 2, 3)));
    const leader = await cluster.waitForLeader();
    for (let i = 0; i < 30; i++) {
      await cluster.set(leader, `k${i}`, "v".repeat(20));
      await cluster.clock.advance(20);
    }
    await cluster.run(leader.addLearner(4, { addr: "x" }, { blocking: true }));
    await rejection(cluster.run(leader.changeMembership([77])));
    await cluster.run(leader.ensureLinearizable());
    const [one, two] = cluster.others(leader.id) as [NodeId, NodeId];
    await cluster.run(cluster.node(one).ensureLinearizable());
    await rejection(cluster.run(leader.transferLeader({ to: 77 })));
    await cluster.run(leader.transferLeader({ to: one }));
    const next = cluster.node(one);
    // Cut off with everything under way, and then stopped.
    cluster.network.partition([one], [leader.id, two, 4]);
    const pending = [
      outcomeOf(next.propose(setCommand("a", "1"))),
      outcomeOf(next.ensureLinearizable()),
      outcomeOf(next.changeMembership([1, 2, 3, 4])),
    ];
    await cluster.clock.advance(10);
    await cluster.stop(one);
    for (const { values, errors } of pending) expect(values.length + errors.length).toBe(1);
    for (const id of [leader.id, two, 4]) await cluster.stop(id);
  }

  test("has a span for everything that takes time, and ends each of them once", async () => {
    const tracer = new RecordingTracer();
    const logger = new RecordingLogger();
    await eventfulLife(tracer, logger);
    const names = [...new Set(tracer.spans.map(({ name }) => name))].sort();
    expect(names).toEqual([
      "raft.append",
      "raft.apply",
      "raft.commit",
      "raft.election",
      "raft.membership.change",
      "raft.read",
      "raft.snapshot.build",
      "raft.snapshot.install",
      "raft.snapshot.receive",
      "raft.snapshot.send",
      "raft.transfer",
    ]);
    for (const { name, ends, attributes } of tracer.spans) {
      expect(ends, name).toBe(1);
      expect(attributes["raft.node"], name).toBeGreaterThan(0);
    }
    const outcomes = (name: string): (string | undefined)[] =>
      tracer.named(name).map(({ exceptions }) => exceptions[0]?.name);
    expect(outcomes("raft.transfer")).toEqual(["TransferFailedError", undefined]);
    expect(outcomes("raft.membership.change")).toEqual([
      undefined,
      "LearnerNotFoundError",
      "UnknownOutcomeError",
    ]);
    // The one that was under way when the node stopped, and those that were confirmed.
    expect(outcomes("raft.read").filter((error) => error !== undefined)).toEqual(["ShutdownError"]);
    expect(outcomes("raft.read").length).toBeGreaterThan(2);
    expect(outcomes("raft.commit")).toContain("UnknownOutcomeError");
    const events = new Set(logger.events());
    for (const event of [
      "raft.role",
      "raft.leader",
      "raft.membership",
      "raft.membership.change.begun",
      "raft.membership.change.done",
      "raft.membership.change.failed",
      "raft.transfer.begun",
      "raft.transfer.done",
      "raft.transfer.failed",
      "raft.snapshot.built",
      "raft.snapshot.installed",
    ]) {
      expect(events, event).toContain(event);
    }
  });

  test("without a tracer does the same", async () => {
    const logger = new RecordingLogger();
    await eventfulLife(undefined, logger);
    expect(logger.events()).toContain("raft.transfer.done");
  });
});

test("a node that was never part of anything says so", async () => {
  const cluster = new TestCluster([1]);
  const node = await cluster.start(1);
  expect(node.metrics()).toMatchObject({
    state: "learner",
    term: 0,
    lastLogId: ZERO_LOG_ID,
    committed: logId(0, 0),
    replication: null,
    transferTarget: null,
    storageStalled: null,
  });
  expect(node.metrics().incarnation).toBeGreaterThan(0);
});
