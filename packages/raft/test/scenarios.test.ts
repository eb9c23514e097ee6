import type { NodeId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import { addressed, unaddressed } from "./support/addressed.js";
import { outcomeOf, settled } from "./support/promises.js";
import type { Outcome } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { blanks, logId, setCommand } from "./support/values.js";

const THREE = [1, 2, 3] as const;
const FIVE = [1, 2, 3, 4, 5] as const;
const QUICK = { heartbeatIntervalMs: 50, electionTimeoutMinMs: 150, electionTimeoutMaxMs: 300 };

/** Cuts every link but those between neighbours. */
function connectOnly(cluster: TestCluster, links: readonly (readonly [NodeId, NodeId])[]): void {
  const isLinked = (a: NodeId, b: NodeId): boolean =>
    links.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  for (const a of cluster.ids)
    for (const b of cluster.others(a)) if (!isLinked(a, b)) cluster.network.cut(a, b);
}

/** The one node that leads, after `ms` to settle; it must go on in its term, and write, for as long again and more. */
async function expectStableLeader(cluster: TestCluster, ms = 3000): Promise<RaftNode> {
  await cluster.clock.advance(ms);
  const leading = cluster.ids.map((id) => cluster.node(id)).filter((node) => node.isLeader());
  expect(leading).toHaveLength(1);
  const [leader] = leading as [RaftNode];
  const { term } = leader.metrics();
  for (let i = 0; i < 10; i++) {
    await cluster.set(leader, "stable", String(i));
    await cluster.clock.advance(1000);
    expect(leader.metrics()).toMatchObject({ state: "leader", term });
  }
  return leader;
}

describe("one-way, chain and ring partitions reach a stable leader", () => {
  test("one-way: a node that is heard by all and hears nobody leads no more, and disturbs nobody", async () => {
    for (const victim of ["leader", "follower"] as const) {
      const cluster = new TestCluster(FIVE, QUICK);
      const leader = await cluster.found();
      await cluster.converge();
      const deaf = victim === "leader" ? leader.id : (cluster.others(leader.id)[0] as number);
      for (const id of cluster.others(deaf)) cluster.network.cut(id, deaf);
      const stable = await expectStableLeader(cluster);
      if (victim === "leader") expect(stable.id).not.toBe(deaf);
      else expect(stable.id).toBe(leader.id);
      cluster.network.heal();
      await cluster.converge();
      expect(stable.isLeader()).toBe(true);
    }
  });

  test("one-way: a node that hears all and is heard by nobody cannot unseat the leader", async () => {
    const cluster = new TestCluster(FIVE, QUICK);
    const leader = await cluster.found();
    await cluster.converge();
    const mute = cluster.others(leader.id)[0] as number;
    for (const id of cluster.others(mute)) cluster.network.cut(mute, id);
    expect((await expectStableLeader(cluster)).id).toBe(leader.id);
  });

  test.each<[string, readonly (readonly [NodeId, NodeId])[]]>([
    [
      "a chain",
      [
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 5],
      ],
    ],
    [
      "a ring",
      [
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 5],
        [5, 1],
      ],
    ],
    [
      "a star",
      [
        [3, 1],
        [3, 2],
        [3, 4],
        [3, 5],
      ],
    ],
  ])("%s: whoever led before", async (_, links) => {
    for (let seed = 1; seed <= 5; seed++) {
      const cluster = new TestCluster(FIVE, QUICK, seed);
      await cluster.found();
      await cluster.converge();
      connectOnly(cluster, links);
      const stable = await expectStableLeader(cluster);
      cluster.network.heal();
      await cluster.converge();
      expect(stable.isLeader()).toBe(true);
    }
  });

  test("a chain of three: the ends do not hear each other, and leave the leader alone", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const cluster = new TestCluster(THREE, QUICK, seed);
      await cluster.found();
      await cluster.converge();
      connectOnly(cluster, [
        [1, 2],
        [2, 3],
      ]);
      const stable = await expectStableLeader(cluster);
      cluster.network.heal();
      await cluster.converge();
      expect(stable.isLeader()).toBe(true);
    }
  });
});

describe("every pending write settles once", () => {
  test.each([1, 2, 3, 4])(
    "after step-down, truncation, purge or snapshot, and what was acknowledged is there (seed %d)",
    async (seed) => {
      const cluster = new TestCluster(
        THREE,
        { ...QUICK, snapshotPolicy: { type: "logsSinceLast", entries: 15 }, maxInSnapshotLogToKeep: 200 },
        seed,
      );
      cluster.network.setFaults({ minLatencyMs: 1, maxLatencyMs: 10 });
      let leader = await cluster.found();
      const writes: { outcome: Outcome<unknown>; key: string }[] = [];
      const burst = (node: RaftNode, count: number): void => {
        for (let i = 0; i < count; i++) {
          const key = `key ${writes.length}`;
          const options = i % 3 === 0 ? { timeoutMs: 40 } : undefined;
          writes.push({ key, outcome: outcomeOf(node.propose(setCommand(key, "1"), options)) });
        }
      };
      for (let round = 0; round < 4; round++) {
        burst(leader, 10);
        await cluster.clock.advance(30);
        burst(leader, 10);
        const snapshot = outcomeOf(leader.triggerSnapshot());
        leader.raft.trigger.purgeLog(leader.metrics().lastApplied.index - 5);
        const old = leader;
        const others = cluster.others(old.id);
        cluster.network.partition([old.id], others);
        // Some are asked for in the minority, some of a node that does not lead.
        burst(old, 5);
        leader = await cluster.waitForLeader(others);
        burst(old, 5);
        burst(leader, 5);
        await cluster.clock.advance(400);
        expect(old.isLeader()).toBe(false);
        for (const { outcome } of writes) expect(outcome.values.length + outcome.errors.length).toBe(1);
        expect(snapshot.values.length + snapshot.errors.length).toBe(1);
        cluster.network.heal();
        await cluster.converge();
        leader = await cluster.waitForLeader();
      }
      for (const { outcome, key } of writes) {
        expect(outcome.values.length + outcome.errors.length).toBe(1);
        if (outcome.values.length > 0) for (const id of THREE) expect(cluster.get(id, key)).toBe("1");
      }
      const calls = THREE.flatMap((id) => cluster.storage(id).calls);
      for (const what of ["truncate", "purge"])
        expect(calls.some((call) => call.startsWith(what))).toBe(true);
      expect(leader.metrics().snapshot.index).toBeGreaterThan(0);
    },
  );
});

describe("a heartbeat cannot cause a false log reversion", () => {
  test("late, repeated and out of order, heartbeats and old entries leave what was acknowledged where it is", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const from = { term: 1, leaderId: 2 };
    const send = (since: number, upto: number, leaderCommit: number): Promise<unknown> =>
      cluster.run(
        node.raft
          .appendEntries(
            addressed(2, 1, {
              ...from,
              prevLogId: since === 1 ? logId(0, 0) : logId(1, since - 1),
              entries: since > upto ? [] : blanks(1, since, upto),
              leaderCommit,
            }),
          )
          .then(unaddressed),
      );
    await send(1, 10, 0);
    const log = cluster.log(1);
    // A heartbeat says only what the leader knows to match, which may be far behind; then come old entries.
    for (const [since, upto, commit] of [
      [1, 0, 0],
      [6, 5, 3],
      [1, 4, 9],
      [11, 10, 2],
      [3, 2, 10],
      [2, 9, 1],
    ] as const) {
      expect(await send(since, upto, commit)).toEqual({
        type: "success",
        term: 1,
        matchIndex: Math.max(since - 1, upto),
      });
      expect(cluster.log(1)).toEqual(log);
    }
    // It commits what is known to match, and no more: 9 was capped at 4, 10 at 2.
    expect(node.metrics().committed).toEqual(logId(1, 4));
    expect(cluster.storage(1).calls.filter((call) => call.startsWith("truncate"))).toEqual([]);
  });

  test.each([1, 2, 3])(
    "on a network that reorders everything a follower's log never goes back (seed %d)",
    async (seed) => {
      const cluster = new TestCluster(THREE, { ...QUICK, maxPayloadEntries: 3 }, seed);
      cluster.network.setFaults({ minLatencyMs: 1, maxLatencyMs: 60 });
      const leader = await cluster.found();
      const { term } = leader.metrics();
      const writes: Outcome<unknown>[] = [];
      for (let i = 0; i < 100; i++) {
        writes.push(outcomeOf(leader.propose(setCommand(`key ${i}`, "1"))));
        await cluster.clock.advance(5);
      }
      await cluster.converge();
      expect(leader.metrics().term).toBe(term);
      expect(writes.every(({ values }) => values.length === 1)).toBe(true);
      for (const id of THREE)
        expect(cluster.storage(id).calls.filter((call) => call.startsWith("truncate"))).toEqual([]);
    },
  );
});

describe("election timers do not drift into clustering", () => {
  test("a thousand elections: each within twice the longest timeout, and as quick at the end as at the start", async () => {
    const cluster = new TestCluster(THREE, {
      ...QUICK,
      snapshotPolicy: { type: "logsSinceLast", entries: 500 },
    });
    cluster.network.setFaults({ minLatencyMs: 1, maxLatencyMs: 5 });
    let leader = await cluster.found();
    const took: number[] = [];
    const wins = new Map<NodeId, number>();
    for (let i = 0; i < 1000; i++) {
      const others = cluster.others(leader.id);
      cluster.network.partition([leader.id], others);
      const start = cluster.clock.now;
      const isLed = (): boolean => others.some((id) => cluster.node(id).isLeader());
      await cluster.clock.runUntil("an election", isLed, 5000);
      took.push(cluster.clock.now - start);
      leader = cluster.node(others.find((id) => cluster.node(id).isLeader()) as number);
      wins.set(leader.id, (wins.get(leader.id) ?? 0) + 1);
      cluster.network.heal();
      await cluster.converge();
    }
    expect(Math.max(...took)).toBeLessThan(2 * QUICK.electionTimeoutMaxMs);
    const mean = (times: number[]): number => times.reduce((sum, ms) => sum + ms, 0) / times.length;
    expect(mean(took)).toBeLessThan(QUICK.electionTimeoutMaxMs);
    expect(mean(took.slice(-250)) / mean(took.slice(0, 250))).toBeLessThan(1.2);
    for (const id of THREE) expect(wins.get(id) ?? 0).toBeGreaterThan(100);
  });
});

describe("operators", () => {
  test("electing the current leader is a no-op, with followers too", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.converge();
    const before = leader.metrics();
    const { length } = cluster.history;
    leader.raft.trigger.elect();
    await cluster.clock.advance(2000);
    expect(leader.metrics()).toMatchObject({
      state: "leader",
      term: before.term,
      lastLogId: before.lastLogId,
    });
    expect(cluster.history).toHaveLength(length);
  });
});

describe("applied never exceeds committed after restart", () => {
  test.each([1, 2, 3])(
    "of any node at any moment, however often they are stopped (seed %d)",
    async (seed) => {
      const cluster = new TestCluster(
        THREE,
        { ...QUICK, snapshotPolicy: { type: "logsSinceLast", entries: 10 }, maxInSnapshotLogToKeep: 500 },
        seed,
      );
      cluster.network.setFaults({ minLatencyMs: 1, maxLatencyMs: 10 });
      await cluster.found();
      let looks = 0;
      const look = (): void => {
        for (const id of THREE) {
          const { lastApplied, committed, lastLogId, snapshot, purged } = cluster.node(id).metrics();
          const order = [purged.index, snapshot.index, lastApplied.index, committed.index, lastLogId.index];
          expect(order.toSorted((a, b) => a - b)).toEqual(order);
          looks += 1;
        }
      };
      for (let i = 0; i < 20; i++) {
        const leader = await cluster.waitForLeader();
        for (let j = 0; j < 5; j++) void outcomeOf(leader.propose(setCommand(`key ${i} ${j}`, "1")));
        await cluster.clock.advance(i % 7);
        const id = THREE[i % 3] as number;
        await cluster.stop(id);
        await cluster.start(id);
        for (let ms = 0; ms < 100; ms++) {
          look();
          await cluster.clock.advance(1);
        }
      }
      expect(looks).toBe(20 * 100 * 3);
      await cluster.converge();
      await settled();
      look();
    },
  );
});
