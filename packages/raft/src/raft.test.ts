import type { AsyncRuntime } from "@seshat/common";
import { InvalidValueError, StorageError, TimeoutError } from "@seshat/common";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { addressed, unaddressed } from "../test/support/addressed.js";
import { outcomeOf, rejection, settled } from "../test/support/promises.js";
import { TestCluster } from "../test/support/test-cluster.js";
import { blank, logId, nodesFor, setCommand } from "../test/support/values.js";
import { until } from "./condition.js";
import { RaftNode } from "./raft-node.js";
import { SeededRandom, VirtualClock } from "./testing.js";

describe("making a node", () => {
  test.each([0, -1, 1.5, "1", undefined])("%j is refused as its id", async (id) => {
    const error = await rejection(
      RaftNode.start({ id: id as number, storage: new OpenRaftMemStorage(new KeyValueStateMachine()) }),
    );
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field: "id" });
  });

  test("a wrong setting is refused by its field before storage is touched", async () => {
    const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
    storage.readVote = () => expect.unreachable();
    const error = await rejection(RaftNode.start({ id: 1, storage, config: { heartbeatIntervalMs: 0 } }));
    expect(error).toMatchObject({ field: "config.heartbeatIntervalMs" });
  });

  test("storage that contradicts itself is refused: no node is started over a log with a hole", async () => {
    const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
    storage.append([blank(1, 1), blank(1, 2), blank(1, 3)], () => {});
    storage.saveVote({ term: 1, votedFor: 1, committed: true });
    const read = storage.readEntries.bind(storage);
    storage.readEntries = (since, upto) => read(since, upto).filter((entry) => entry.logId.index !== 2);
    const error = await rejection(RaftNode.start({ id: 1, storage }));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain("the entry at index 2 is missing");
  });

  test("its settings can be read, defaults included", async () => {
    const cluster = new TestCluster([1], { heartbeatIntervalMs: 10 });
    const node = await cluster.start(1);
    expect(node.raft.config).toMatchObject({ heartbeatIntervalMs: 10, electionTimeoutMinMs: 150 });
  });
});

describe("waiting for a condition", () => {
  test("ends at once when it holds already, and with the metrics that it held for", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const metrics = await node.raft.wait(until.state("leader"), 1);
    expect(metrics).toEqual(node.metrics());
  });

  test("ends when it comes true", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const waited = outcomeOf(node.raft.wait(until.applied(5), 10_000));
    await cluster.set(node, "a", "1");
    expect(waited.values).toHaveLength(0);
    await cluster.set(node, "b", "1");
    await cluster.set(node, "c", "1");
    expect(waited.values).toMatchObject([{ lastApplied: logId(1, 5) }]);
  });

  test("ends with a timeout that says what did not happen", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const waited = outcomeOf(node.waitForLeader(1000));
    await cluster.clock.advance(999);
    expect(waited.errors).toHaveLength(0);
    await cluster.clock.advance(1);
    expect(waited.errors[0]).toBeInstanceOf(TimeoutError);
    expect(waited.errors[0]?.message).toBe("a leader did not happen within 1000 ms");
  });

  test("a condition that throws ends its own wait, and nothing else", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const failure = new TypeError("bug in the condition");
    const atOnce = await rejection(
      node.raft.wait(
        {
          what: "x",
          holds: () => {
            throw failure;
          },
        },
        1000,
      ),
    );
    expect(atOnce).toBe(failure);
    let looks = 0;
    const later = outcomeOf(
      node.raft.wait(
        {
          what: "x",
          holds: () => {
            looks += 1;
            if (looks > 1) throw failure;
            return false;
          },
        },
        1000,
      ),
    );
    await cluster.set(node, "a", "1");
    await cluster.set(node, "b", "1");
    expect(later.errors).toEqual([failure]);
    expect(looks).toBe(2);
    expect(node.isLeader()).toBe(true);
  });

  test("nobody looks any more once the wait has ended", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    let looks = 0;
    const waited = outcomeOf(
      node.raft.wait(
        {
          what: "x",
          holds: () => {
            looks += 1;
            return false;
          },
        },
        100,
      ),
    );
    await cluster.clock.advance(100);
    expect(waited.errors).toHaveLength(1);
    const seen = looks;
    await cluster.set(node, "a", "1");
    expect(looks).toBe(seen);
  });

  test.each([0, -5, Number.NaN, Number.POSITIVE_INFINITY])("%d is no timeout", async (timeoutMs) => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const error = await rejection(node.waitForLeader(timeoutMs));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field: "timeoutMs" });
  });
});

describe("messages of peers", () => {
  test("what no correct peer can have sent is refused by the field, and changes nothing", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const before = node.metrics();
    const { raft } = node;
    const append = { term: 9, leaderId: 2, prevLogId: logId(0, 0), entries: [blank(9, 2)], leaderCommit: 0 };
    expect(await rejection(raft.appendEntries(addressed(2, 1, append)))).toMatchObject({
      field: "appendEntries.entries.index",
    });
    const vote = { term: 9, candidateId: 1, lastLogId: logId(1, 1), transfer: false };
    expect(await rejection(raft.vote(addressed(2, 1, vote)))).toMatchObject({ field: "vote.candidateId" });
    const preVote = { ...vote, candidateId: 2, term: -1 };
    expect(await rejection(raft.preVote(addressed(2, 1, preVote)))).toMatchObject({ field: "preVote.term" });
    await cluster.clock.advance(10);
    expect(node.metrics()).toEqual(before);
  });

  test("each is answered by itself, in whatever order they come", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const last = logId(0, 0);
    const [a, b, c] = await cluster.run(
      Promise.all([
        node.raft.vote(addressed(2, 1, { term: 3, candidateId: 2, lastLogId: last, transfer: false })),
        node.raft.vote(addressed(3, 1, { term: 3, candidateId: 3, lastLogId: last, transfer: false })),
        node.raft.preVote(addressed(3, 1, { term: 4, candidateId: 3, lastLogId: last })),
      ]),
    );
    expect([a, b, c].map(unaddressed)).toEqual([
      { term: 3, granted: true },
      { term: 3, granted: false },
      { term: 3, granted: true },
    ]);
    const header = { from: 1, incarnation: node.metrics().incarnation };
    expect([a.header, b.header, c.header]).toEqual([header, header, header]);
  });
});

describe("turns of the event loop", () => {
  /** Counts what a node asks its runtime for. Its clock moves on by so many milliseconds with each look at it. */
  function counting(tickMs = 0): {
    runtime: AsyncRuntime;
    counts: { soon: number; yields: number; ms: number };
  } {
    const counts = { soon: 0, yields: 0, ms: 0 };
    const virtual = new VirtualClock().runtime(new SeededRandom(1));
    const runtime: AsyncRuntime = {
      ...virtual,
      now: () => {
        counts.ms += tickMs;
        return counts.ms;
      },
      soon: (callback) => {
        counts.soon += 1;
        virtual.soon(callback);
      },
      yield: (callback) => {
        counts.yields += 1;
        setImmediate(callback);
      },
    };
    return { runtime, counts };
  }

  /** Writes one after another. @returns how often timers and sockets had their turn, and how long it took by the clock of the node. */
  async function write(writes: number, tickMs: number): Promise<{ yields: number; ms: number }> {
    const { runtime, counts } = counting(tickMs);
    const node = await RaftNode.start({
      id: 1,
      storage: new OpenRaftMemStorage(new KeyValueStateMachine()),
      config: { snapshotPolicy: { type: "never" } },
      runtime,
    });
    await node.initialize(nodesFor(1));
    await settled();
    const before = { ...counts };
    for (let i = 0; i < writes; i++) await node.propose(setCommand("a", "1"));
    await node.shutdown();
    return { yields: counts.yields - before.yields, ms: counts.ms - before.ms };
  }

  test.each([
    ["the clock stands still", 0],
    ["they took a millisecond", 0.5],
  ])("timers and sockets have theirs after 64 steps where %s, and not sooner", async (_, tickMs) => {
    const { yields } = await write(640, tickMs);
    // The write itself, its persistence and its application: three steps each.
    expect(Math.abs(yields - (640 * 3) / 64)).toBeLessThanOrEqual(2);
  });

  test("and after a millisecond where steps are quick, and not sooner", async () => {
    const { yields, ms } = await write(6400, 0.001);
    expect(ms).toBeGreaterThan(6);
    // A step ends a little after the millisecond is over.
    expect(yields).toBeLessThanOrEqual(ms + 1);
    expect(yields).toBeGreaterThan(ms * 0.8);
  });

  test("all that is asked for in one turn is taken in one turn", async () => {
    const { runtime, counts } = counting();
    const node = await RaftNode.start({
      id: 1,
      storage: new OpenRaftMemStorage(new KeyValueStateMachine()),
      runtime,
    });
    await node.initialize(nodesFor(1));
    await settled();
    counts.soon = 0;
    counts.yields = 0;
    await Promise.all(Array.from({ length: 1000 }, () => node.propose(setCommand("a", "1"))));
    expect(counts.soon + counts.yields).toBeLessThan(6);
    await node.shutdown();
  });
});
