import type { VoteRequest } from "@seshat/common";
import {
  ForeignNodeError,
  InvalidValueError,
  NotLeaderError,
  QuorumNotEnoughError,
  ShutdownError,
  UnknownOutcomeError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { addressed, unaddressed } from "./support/addressed.js";
import { outcomeOf } from "./support/promises.js";
import { SILENT_PEER } from "./support/silent-peer.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor, setCommand } from "./support/values.js";

const IDS = [1, 2, 3] as const;

/** Whichever of the three `id` is not. */
function othersThan(id: number): number[] {
  return IDS.filter((other) => other !== id);
}

function checkLogsEqual(cluster: TestCluster): void {
  const [first, ...rest] = cluster.ids.map((id) => cluster.log(id));
  for (const log of rest) expect(log).toEqual(first);
  const contents = cluster.ids.map((id) => cluster.storage(id).kv.size);
  expect(new Set(contents).size).toBe(1);
}

describe("three nodes", () => {
  test("elect one leader, whom the others follow", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    expect(IDS.map((id) => cluster.node(id).leaderId())).toEqual([leader.id, leader.id, leader.id]);
    expect(IDS.filter((id) => cluster.node(id).isLeader())).toEqual([leader.id]);
    for (const id of othersThan(leader.id))
      expect(cluster.node(id).metrics()).toMatchObject({ state: "follower", replication: null });
    expect([...(leader.metrics().replication ?? [])].map(([id]) => id)).toEqual(othersThan(leader.id));
  });

  test("replicate what is written, and come to equal logs and equal states", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await Promise.all(Array.from({ length: 100 }, (_, i) => cluster.set(leader, `key ${i}`, String(i))));
    await cluster.converge();
    checkLogsEqual(cluster);
    for (const id of IDS) for (let i = 0; i < 100; i++) expect(cluster.get(id, `key ${i}`)).toBe(String(i));
  });

  test("a writer who goes on costs hardly more than one message a follower and write: the next entry says that the last is committed", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const follower = cluster.node(othersThan(leader.id)[0] as number);
    let messages = 0;
    const receive = follower.raft.appendEntries.bind(follower.raft);
    follower.raft.appendEntries = (request) => {
      messages += 1;
      return receive(request);
    };
    const writing = (async () => {
      for (let i = 0; i < 50; i++) await cluster.node(leader.id).propose(setCommand("a", String(i)));
    })();
    await cluster.run(writing);
    // News of the last commit waits a moment for a write to carry it.
    await cluster.clock.advance(5);
    expect(messages).toBeLessThan(60);
    expect(follower.metrics().lastApplied).toEqual(leader.metrics().committed);
  });

  test("a follower refuses writes at once, and says who leads and where; its reads the leader confirms", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const follower = cluster.node(othersThan(leader.id)[0] as number);
    const refused = outcomeOf(follower.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    expect(refused.errors[0]).toBeInstanceOf(NotLeaderError);
    expect(refused.errors[0]).toMatchObject({
      leaderId: leader.id,
      leaderNode: { addr: `10.0.0.${leader.id}:7000` },
    });
    expect(await cluster.run(follower.ensureLinearizable())).toEqual(leader.metrics().committed);
  });

  test("a node that knows no leader refuses reads and writes at once", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    const calls: (() => Promise<unknown>)[] = [
      () => node.propose(setCommand("a", "1")),
      () => node.ensureLinearizable(),
    ];
    for (const call of calls) {
      const outcome = outcomeOf(call());
      await cluster.clock.advance(0);
      expect(outcome.errors[0]).toBeInstanceOf(NotLeaderError);
      expect(outcome.errors[0]).toMatchObject({ leaderId: null, leaderNode: null });
    }
  });

  test("hold one membership, which came to all of them through the log", async () => {
    const cluster = new TestCluster(IDS);
    await cluster.found();
    await cluster.converge();
    const stores = IDS.map((id) => [id, cluster.storage(id).readIdentity()?.incarnation]);
    for (const id of IDS) {
      // Founding brought it, and says who votes from which store.
      const { logId, membership } = cluster.node(id).metrics().membership;
      expect([logId, membership.configs]).toEqual([{ term: 0, index: 1 }, [[1, 2, 3]]]);
      expect([...membership.incarnations]).toEqual(stores);
      expect(cluster.storage(id).log.get(1)?.payload).toMatchObject({
        type: "membership",
        membership: { configs: [[1, 2, 3]] },
      });
    }
  });

  test("founded on each of them with the same nodes, they make the same one cluster", async () => {
    const cluster = new TestCluster(IDS);
    for (const id of IDS) await cluster.start(id);
    await cluster.run(Promise.all(IDS.map((id) => cluster.node(id).initialize(nodesFor(...IDS)))));
    const leader = await cluster.waitForLeader();
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    checkLogsEqual(cluster);
  });

  test("an idle cluster keeps its leader for an hour", async () => {
    const cluster = new TestCluster(IDS, {
      heartbeatIntervalMs: 1000,
      electionTimeoutMinMs: 3000,
      electionTimeoutMaxMs: 6000,
    });
    const leader = await cluster.found();
    const { term } = leader.metrics();
    await cluster.clock.advance(3_600_000);
    expect(leader.metrics()).toMatchObject({ state: "leader", term });
  });

  test("reads on the leader are served once a majority has confirmed it", async () => {
    const cluster = new TestCluster(IDS);
    cluster.network.setFaults({ minLatencyMs: 5, maxLatencyMs: 5 });
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    const read = outcomeOf(leader.ensureLinearizable());
    await cluster.clock.advance(9);
    expect(read.values).toHaveLength(0);
    await cluster.clock.advance(1);
    expect(read.values).toEqual([leader.metrics().committed]);
  });
});

describe("a leader that is cut off", () => {
  test("is replaced, steps down when it is healed, and its uncommitted writes end as unknown, each once", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.set(old, "before", "1");
    const others = othersThan(old.id);
    cluster.network.partition([old.id], others);
    const lost = [1, 2, 3].map((i) => outcomeOf(old.propose(setCommand("lost", String(i)))));
    const next = await cluster.waitForLeader(others);
    expect(next.metrics().term).toBeGreaterThan(old.metrics().term);
    await cluster.set(next, "after", "2");
    expect(old.isLeader()).toBe(true);
    expect(lost.flatMap(({ values, errors }) => [...values, ...errors])).toEqual([]);

    cluster.network.heal();
    await cluster.converge();
    expect(old.metrics()).toMatchObject({ state: "follower", currentLeader: next.id });
    for (const { values, errors } of lost) {
      expect(values).toHaveLength(0);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(UnknownOutcomeError);
    }
    checkLogsEqual(cluster);
    for (const id of IDS)
      expect(["before", "after", "lost"].map((key) => cluster.get(id, key))).toEqual(["1", "2", null]);
    // The entries that nobody else had were taken back by the truncation, not by luck.
    expect(cluster.storage(old.id).calls.some((call) => call.startsWith("truncate"))).toBe(true);
  });

  test("fails its reads: a deposed leader in a minority answers none, and refuses them once it knows", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.set(old, "a", "old");
    const others = othersThan(old.id);
    cluster.network.partition([old.id], others);
    const next = await cluster.waitForLeader(others);
    await cluster.set(next, "a", "new");
    expect(old.isLeader()).toBe(true);
    const read = outcomeOf(old.ensureLinearizable());
    await cluster.clock.advance(300);
    expect(old.isLeader()).toBe(false);
    const late = outcomeOf(old.ensureLinearizable());
    await cluster.clock.advance(10_000);
    for (const { values, errors } of [read, late]) {
      expect(values).toEqual([]);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(QuorumNotEnoughError);
    }
    cluster.network.heal();
    await cluster.converge();
    expect([read.values, late.values]).toEqual([[], []]);
    await cluster.run(old.ensureLinearizable());
    expect(cluster.get(old.id, "a")).toBe("new");
  });

  test("in a cluster of three separate nodes nobody leads, and nothing is acknowledged", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.converge();
    const { index } = old.metrics().committed;
    cluster.network.partition([1], [2], [3]);
    const write = outcomeOf(old.propose(setCommand("a", "1")));
    await cluster.clock.advance(30_000);
    expect(write.values).toEqual([]);
    expect(write.errors).toHaveLength(1);
    expect(write.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    for (const id of IDS) {
      expect(cluster.node(id).metrics().committed.index).toBe(index);
      expect(cluster.node(id).isLeader()).toBe(false);
    }
    cluster.network.heal();
    await cluster.converge();
    await cluster.set(await cluster.waitForLeader(), "b", "2");
    expect(write.values.length + write.errors.length).toBe(1);
    await cluster.converge();
    checkLogsEqual(cluster);
  });
});

describe("a candidate", () => {
  test("asks for votes only once its own is durable", async () => {
    const cluster = new TestCluster([1], { preVote: false });
    const asked: number[] = [];
    const network = {
      connect: (target: number) => {
        const granted = { term: 0, granted: true, header: { from: target, incarnation: target } };
        const vote = ({ term }: VoteRequest): Promise<typeof granted> => {
          // With the votes of term 0 the others leave the founding to it.
          if (term === 0) return Promise.resolve(granted);
          asked.push(target);
          return new Promise(() => {});
        };
        const preVote = (): Promise<typeof granted> => Promise.resolve(granted);
        return { ...SILENT_PEER, vote, preVote };
      },
    };
    const node = await cluster.start(1, { network });
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    void outcomeOf(node.initialize(nodesFor(...IDS)));
    await cluster.clock.advance(140);
    expect(node.metrics()).toMatchObject({ state: "candidate", term: 1 });
    expect(asked).toEqual([]);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(asked).toEqual([2, 3]);
  });
});

describe("a follower", () => {
  test("that diverged is repaired: what nobody else has is taken back, the rest stays", async () => {
    const cluster = new TestCluster(IDS);
    const first = await cluster.found();
    await cluster.set(first, "common", "1");
    // Two leaders in turn write to nobody but themselves.
    const [second, third] = othersThan(first.id) as [number, number];
    cluster.network.partition([first.id], [second, third]);
    for (let i = 0; i < 20; i++) void outcomeOf(first.propose(setCommand("first's own", String(i))));
    const next = await cluster.waitForLeader([second, third]);
    await cluster.set(next, "next's", "2");
    const other = next.id === second ? third : second;
    cluster.network.heal();
    cluster.network.partition([next.id], [first.id, other]);
    for (let i = 0; i < 7; i++) void outcomeOf(next.propose(setCommand("next's own", String(i))));
    const last = await cluster.waitForLeader([other]);
    await cluster.set(last, "last's", "3");
    cluster.network.heal();
    await cluster.converge();
    checkLogsEqual(cluster);
    for (const id of IDS) {
      expect(
        ["common", "next's", "last's", "first's own", "next's own"].map((key) => cluster.get(id, key)),
      ).toEqual(["1", "2", "3", null, null]);
    }
  });

  test("that was away catches up when it is started again, from the storage that it left", async () => {
    const cluster = new TestCluster(IDS, { maxPayloadEntries: 10 });
    const leader = await cluster.found();
    const away = othersThan(leader.id)[0] as number;
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    await cluster.stop(away);
    for (let i = 0; i < 200; i++) await cluster.set(leader, `key ${i}`, String(i));
    expect(cluster.get(away, "key 0")).toBeNull();
    await cluster.start(away);
    await cluster.converge();
    checkLogsEqual(cluster);
    expect(cluster.get(away, "key 199")).toBe("199");
    expect(leader.metrics().state).toBe("leader");
  });

  test("that is late is served from the log when the cache no longer has what it lacks", async () => {
    const cluster = new TestCluster(IDS, {
      logCacheEntries: 5,
      maxPayloadEntries: 7,
      snapshotPolicy: { type: "never" },
    });
    const leader = await cluster.found();
    const late = othersThan(leader.id)[0] as number;
    cluster.network.partition([late], othersThan(late));
    for (let i = 0; i < 100; i++) await cluster.set(leader, `key ${i}`, String(i));
    cluster.network.heal();
    await cluster.converge();
    checkLogsEqual(cluster);
  });

  test("that is late gets everything from a storage that returns few entries at a time", async () => {
    const cluster = new TestCluster(IDS, { logCacheEntries: 1, snapshotPolicy: { type: "never" } });
    for (const id of IDS) {
      const storage = cluster.storage(id);
      const read = storage.readEntries.bind(storage);
      storage.readEntries = (since, upto) => read(since, Math.min(upto, since + 1));
    }
    const leader = await cluster.found();
    const late = othersThan(leader.id)[0] as number;
    await cluster.stop(late);
    for (let i = 0; i < 30; i++) await cluster.set(leader, `key ${i}`, String(i));
    await cluster.start(late);
    await cluster.converge();
    for (let i = 0; i < 30; i++) expect(cluster.get(late, `key ${i}`)).toBe(String(i));
  });

  test("says that it has entries only once they are durable: until then the leader has no majority", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const others = othersThan(leader.id);
    for (const id of others) cluster.storage(id).holdsCompletions = true;
    const write = outcomeOf(leader.propose(setCommand("a", "1")));
    await cluster.clock.advance(30);
    expect(others.map((id) => cluster.storage(id).held > 0)).toEqual([true, true]);
    expect(write.values).toHaveLength(0);
    const first = cluster.storage(others[0] as number);
    first.holdsCompletions = false;
    first.completeHeld();
    await cluster.clock.advance(0);
    expect(write.values).toHaveLength(1);
  });

  test("answers entries that come without a promise as it does others: once they are durable, and refusals too", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const outcomes: unknown[] = [];
    const caller = {
      resolve: (response: object) => void outcomes.push(unaddressed(response as never)),
      reject: (error: Error) => void outcomes.push(error.constructor),
    };
    const request = (index: number, header: object = {}) =>
      addressed(
        2,
        1,
        {
          term: 1,
          leaderId: 2,
          prevLogId: { term: 0, index: 0 },
          entries: [{ logId: { term: 1, index }, payload: { type: "blank" } as const }],
          leaderCommit: 0,
        },
        header,
      );
    node.raft.callAppendEntries(request(2), caller);
    node.raft.callAppendEntries(request(1, { clusterId: "other" }), caller);
    expect(outcomes).toEqual([InvalidValueError, ForeignNodeError]);
    node.raft.callAppendEntries(request(1), caller);
    await cluster.clock.advance(10);
    expect(outcomes).toHaveLength(2);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(outcomes[2]).toEqual({ type: "success", term: 1, matchIndex: 1 });
    await node.raft.shutdown();
    node.raft.callAppendEntries(request(1), caller);
    expect(outcomes[3]).toBe(ShutdownError);
  });

  test("goes on when a network throws as it is answered: at once, later, or when the node stops", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const storage = cluster.storage(1);
    let told = 0;
    const caller = {
      resolve: () => {
        told += 1;
        throw new Error("the stream is closed");
      },
      reject: () => {
        told += 1;
        throw new Error("the stream is closed");
      },
    };
    const prevLogId = { term: 0, index: 0 };
    const beat = { term: 1, leaderId: 2, prevLogId, entries: [], leaderCommit: 0 };
    const entry = { logId: { term: 1, index: 1 }, payload: { type: "blank" } as const };
    node.raft.callAppendEntries(addressed(2, 1, beat), caller);
    await cluster.clock.advance(1);
    expect(told).toBe(1);
    storage.holdsCompletions = true;
    node.raft.callAppendEntries(addressed(2, 1, { ...beat, entries: [entry] }), caller);
    await cluster.clock.advance(1);
    storage.completeHeld();
    await cluster.clock.advance(1);
    expect(told).toBe(2);
    expect(node.metrics()).toMatchObject({ state: "learner", currentLeader: 2, stopCause: null });
    node.raft.callAppendEntries(addressed(2, 1, beat), caller);
    await node.raft.shutdown();
    expect(told).toBe(3);
  });

  test("grants a vote only once it is durable", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const storage = cluster.storage(1);
    // A vote is durable with all that was written before it, and that is still on its way.
    storage.holdsCompletions = true;
    const entry = { logId: { term: 1, index: 1 }, payload: { type: "blank" } } as const;
    const append = outcomeOf(
      node.raft.appendEntries(
        addressed(2, 1, {
          term: 1,
          leaderId: 2,
          prevLogId: { term: 0, index: 0 },
          entries: [entry],
          leaderCommit: 0,
        }),
      ),
    );
    // Until then it has a leader, whom it does not help to unseat.
    await cluster.clock.advance(150);
    const vote = outcomeOf(
      node.raft.vote(
        addressed(3, 1, { term: 2, candidateId: 3, lastLogId: { term: 1, index: 1 }, transfer: false }),
      ),
    );
    await cluster.clock.advance(10);
    expect([append.values, vote.values]).toEqual([[], []]);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(append.values.map(unaddressed)).toEqual([{ type: "success", term: 1, matchIndex: 1 }]);
    expect(vote.values.map(unaddressed)).toEqual([{ term: 2, granted: true }]);
  });

  test("whose storage fails stops alone; the others go on", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const broken = othersThan(leader.id)[0] as number;
    cluster.storage(broken).failures.set("append", new Error("disk full"));
    await cluster.set(leader, "a", "1");
    await cluster.clock.advance(1000);
    expect(cluster.node(broken).metrics()).toMatchObject({ state: "stopped" });
    await cluster.set(leader, "b", "2");
    expect(leader.isLeader()).toBe(true);
  });
});

describe("a network that loses a fifth of all messages", () => {
  test.each([1, 2, 3, 4, 5])("still lets three nodes converge (seed %d)", async (seed) => {
    const cluster = new TestCluster(IDS, { maxPayloadEntries: 5 }, seed);
    cluster.network.setFaults({ lossRate: 0.2, minLatencyMs: 1, maxLatencyMs: 20 });
    await cluster.found();
    let written = 0;
    for (let i = 0; i < 40; i++) {
      const leader = await cluster.waitForLeader();
      const write = outcomeOf(leader.propose(setCommand(`key ${i}`, "1")));
      await cluster.clock.runUntil(
        "the write to end",
        () => write.values.length + write.errors.length > 0,
        20_000,
      );
      written += write.values.length;
    }
    expect(written).toBeGreaterThan(20);
    cluster.network.setFaults({});
    await cluster.converge();
    checkLogsEqual(cluster);
  });
});

describe("determinism", () => {
  /** A run with elections, losses, a partition and a restart. */
  async function run(seed: number): Promise<{ history: string[]; logs: unknown[][] }> {
    const cluster = new TestCluster(IDS, { snapshotPolicy: { type: "logsSinceLast", entries: 20 } }, seed);
    cluster.network.setFaults({ lossRate: 0.1, minLatencyMs: 1, maxLatencyMs: 30 });
    const first = await cluster.found();
    for (let i = 0; i < 30; i++) void outcomeOf(first.propose(setCommand(`key ${i}`, "1")));
    await cluster.clock.advance(300);
    cluster.network.partition([first.id], othersThan(first.id));
    await cluster.waitForLeader(othersThan(first.id));
    cluster.network.heal();
    await cluster.stop(first.id);
    await cluster.clock.advance(500);
    await cluster.start(first.id);
    await cluster.converge();
    return { history: cluster.history, logs: IDS.map((id) => cluster.log(id)) };
  }

  test("the same seed gives the same log of events, to the letter, twice; another seed does not", async () => {
    const once = await run(11);
    expect(once.history.length).toBeGreaterThan(20);
    expect(await run(11)).toEqual(once);
    expect((await run(12)).history).not.toEqual(once.history);
  });
});
