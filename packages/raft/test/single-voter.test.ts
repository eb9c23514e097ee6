import { AlreadyInitializedError, InvalidValueError, NotAMemberError, OverloadedError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { addressed } from "./support/addressed.js";
import { RecordingTracer } from "./support/instruments.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, text } from "./support/values.js";

describe("a cluster of one goes the whole way of a larger one", () => {
  test("membership, then vote, then blank entry, then commands: each persisted, committed and applied in order", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.set(node, "a", "1");
    expect(cluster.storage(1).calls).toEqual([
      "append 0-1",
      "saveVote T1:n1",
      "saveVote T1:n1!",
      "append 1-2",
      "saveCommitted 1-2",
      "append 1-3",
      "saveCommitted 1-3",
    ]);
    expect(node.metrics()).toMatchObject({ committed: logId(1, 3), lastApplied: logId(1, 3) });
  });

  test("all writes of one turn are one append, one commit and one apply", async () => {
    const cluster = new TestCluster([1]);
    const tracer = new RecordingTracer();
    const node = await cluster.start(1, { tracer });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const { length } = cluster.storage(1).calls;
    const before = tracer.spans.length;
    await cluster.run(Promise.all(["a", "b", "c"].map((key) => node.propose(setCommand(key, "1")))));
    expect(cluster.storage(1).calls.slice(length)).toEqual(["append 1-3 1-4 1-5", "saveCommitted 1-5"]);
    expect(
      tracer.spans.slice(before).map(({ name, attributes }) => [name, attributes["raft.entries"]]),
    ).toEqual([
      ["raft.append", 3],
      ["raft.commit", 3],
      ["raft.apply", 3],
    ]);
  });

  test("every stage is a span, and every span ends once", async () => {
    const cluster = new TestCluster([1]);
    const tracer = new RecordingTracer();
    const node = await cluster.start(1, { tracer });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    await cluster.set(node, "a", "1");
    await cluster.run(node.triggerSnapshot());
    await cluster.stop(1);
    const names = ["raft.append", "raft.election", "raft.apply", "raft.commit", "raft.snapshot.build"];
    expect(new Set(tracer.spans.map(({ name }) => name))).toEqual(new Set(names));
    expect(tracer.spans.filter(({ ends }) => ends !== 1)).toEqual([]);
    expect(tracer.spans.filter(({ attributes }) => attributes["raft.node"] !== 1)).toEqual([]);
  });

  test("its own vote counts only once it is durable", async () => {
    const cluster = new TestCluster([1]);
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const node = await cluster.start(1);
    const initialized = outcomeOf(node.initialize(nodesFor(1)));
    await cluster.clock.advance(10);
    // The vote follows the membership entry, and is durable only with it.
    expect(storage.calls).toEqual(["append 0-1", "saveVote T1:n1"]);
    expect(node.metrics().state).toBe("candidate");
    expect(initialized.values).toHaveLength(0);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(node.metrics().state).toBe("leader");
    expect(initialized.values).toHaveLength(1);
  });
});

describe("a single-node cluster acknowledges only after its own sync", () => {
  test("a write is answered when its append is durable, and neither committed nor applied before", async () => {
    const cluster = new TestCluster([1], { storageStallMs: 120_000 });
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(60_000);
    expect(write).toEqual({ values: [], errors: [] });
    expect(cluster.get(1, "a")).toBeNull();
    expect(node.metrics()).toMatchObject({
      lastLogId: logId(1, 3),
      committed: logId(1, 2),
      lastApplied: logId(1, 2),
    });
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(write.values).toHaveLength(1);
    expect(cluster.get(1, "a")).toBe("1");
  });

  test("writes go on to storage while an earlier one is being synced: one sync can serve them all", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const writes: ReturnType<typeof outcomeOf>[] = [];
    for (const key of ["a", "b", "c"]) {
      writes.push(outcomeOf(node.propose(setCommand(key, "1"))));
      await cluster.clock.advance(0);
    }
    expect(storage.held).toBe(3);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(writes.map(({ values }) => values.length)).toEqual([1, 1, 1]);
  });

  test("a read waits for what was committed before it, not for what is only written", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    void outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    expect(await cluster.run(node.ensureLinearizable())).toEqual(logId(1, 2));
    storage.completeHeld();
  });

  test("a read waits until what was committed before it is applied", async () => {
    const cluster = new TestCluster([1], { maxApplyEntries: 1 });
    const node = await cluster.found();
    // Five entries in one commit, applied one by one with a turn for others between them.
    for (const key of ["a", "b", "c", "d", "e"]) void outcomeOf(node.propose(setCommand(key, "1")));
    await cluster.clock.runUntil("the commit", () => node.metrics().committed.index === 7, 0);
    expect(node.metrics().lastApplied.index).toBeLessThan(7);
    const seen = node.ensureLinearizable().then((readIndex) => [readIndex, cluster.get(1, "e")]);
    expect(await cluster.run(seen)).toEqual([logId(1, 7), "1"]);
  });

  test("a new leader whose own blank entry is not committed delays linearizable reads", async () => {
    const cluster = new TestCluster([1], { storageStallMs: 120_000 });
    await cluster.found();
    await cluster.stop(1);
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const node = await cluster.start(1);
    await cluster.clock.advance(0);
    expect(node.isLeader()).toBe(true);
    const read = outcomeOf(node.ensureLinearizable());
    await cluster.clock.advance(60_000);
    expect(read).toEqual({ values: [], errors: [] });
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(read.values).toEqual([logId(2, 3)]);
  });
});

describe("initialize", () => {
  test("a second time is refused and changes nothing, before and after a restart", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const before = node.metrics();
    const error = await rejection(cluster.run(node.initialize(nodesFor(1, 2))));
    expect(error).toBeInstanceOf(AlreadyInitializedError);
    expect(error.message).toContain("a log up to 1-2");
    expect(node.metrics()).toEqual(before);
    await cluster.stop(1);
    await cluster.start(1);
    const restarted = await cluster.waitForLeader();
    expect(await rejection(cluster.run(restarted.initialize(nodesFor(1))))).toBeInstanceOf(
      AlreadyInitializedError,
    );
  });

  test("twice at once makes one cluster", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const [first, second] = [
      outcomeOf(node.initialize(nodesFor(1))),
      outcomeOf(node.initialize(nodesFor(1))),
    ];
    await cluster.waitForLeader();
    expect(first.values).toHaveLength(1);
    expect(second.errors[0]).toBeInstanceOf(AlreadyInitializedError);
  });

  test("without this node among the voters is refused, and the node can be initialized rightly after", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const error = await rejection(cluster.run(node.initialize(nodesFor(2, 3))));
    expect(error).toBeInstanceOf(NotAMemberError);
    expect(cluster.storage(1).calls).toEqual([]);
    await cluster.run(node.initialize(nodesFor(1)));
    expect((await cluster.waitForLeader()).id).toBe(1);
  });

  test("with nobody, or with what is no node id, is refused by the field", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const nobody = await rejection(node.initialize([]));
    expect(nobody).toBeInstanceOf(InvalidValueError);
    expect(nobody).toMatchObject({ field: "membership.configs" });
    expect(await rejection(node.initialize([[0, { addr: "x" }]]))).toMatchObject({
      field: "membership.nodes",
    });
    for (const none of [undefined, null, 7, {}, [7]]) {
      expect(await rejection(node.initialize(none as never))).toMatchObject({ field: "nodes" });
    }
    expect(cluster.storage(1).calls).toEqual([]);
  });
});

describe("limits and triggers", () => {
  test("past maxPendingRequests writes and reads are refused at once, not appended, and there is room again later", async () => {
    const cluster = new TestCluster([1], { maxPendingRequests: 3 });
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const waiting = [1, 2, 3].map((i) => outcomeOf(node.propose(setCommand("a", String(i)))));
    expect(await rejection(node.propose(setCommand("a", "4")))).toBeInstanceOf(OverloadedError);
    expect(await rejection(node.ensureLinearizable())).toBeInstanceOf(OverloadedError);
    await cluster.clock.advance(0);
    storage.holdsCompletions = false;
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(waiting.map(({ values }) => values.length)).toEqual([1, 1, 1]);
    expect(cluster.get(1, "a")).toBe("3");
    await cluster.set(node, "a", "5");
  });

  test("requests of operators and peers are bounded too", async () => {
    const cluster = new TestCluster([1], { maxPendingRequests: 2, snapshotPolicy: { type: "never" } });
    const node = await cluster.found();
    const votes = [1, 2, 3].map(() =>
      outcomeOf(
        node.raft.vote(addressed(2, 1, { term: 9, candidateId: 2, lastLogId: logId(9, 9), transfer: false })),
      ),
    );
    const snapshots = [1, 2, 3].map(() => outcomeOf(node.triggerSnapshot()));
    await cluster.clock.advance(0);
    for (const outcomes of [votes, snapshots]) {
      expect(outcomes.map(({ values }) => values.length)).toEqual([1, 1, 0]);
      expect(outcomes[2]?.errors[0]).toBeInstanceOf(OverloadedError);
    }
  });

  test("electing the current leader is a no-op", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const before = node.metrics();
    node.raft.trigger.elect();
    await cluster.clock.advance(1000);
    expect(node.metrics()).toEqual(before);
    await cluster.set(node, "a", "1");
  });

  test("electing a node that is no voter is a no-op too", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    node.raft.trigger.elect();
    await cluster.clock.advance(1000);
    expect(node.metrics()).toMatchObject({ state: "learner", term: 0 });
  });

  test("a leader without a peer sets no timer: nothing wakes an idle node", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const runtime = cluster.clock;
    await runtime.advance(3_600_000);
    expect(node.metrics()).toMatchObject({ term: 1, state: "leader" });
    expect(text((await cluster.run(node.propose(setCommand("a", "1")))).result)).toBe("OK");
  });
});
