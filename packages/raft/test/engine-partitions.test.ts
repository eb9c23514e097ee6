import { describe, expect, test } from "vitest";
import type { SimNode } from "./cluster/sim-node.js";
import { TimedCluster } from "./cluster/timed-cluster.js";

/** Each takes a second or two; this is for a machine that does something else. */
const TIMEOUT_MS = 60_000;

/** What elections come to when nothing is late, but links are cut, or leaders die again and again. */

describe("one-way, chain and ring partitions reach a stable leader", () => {
  /** What is wrong where not one node leads for seconds, and commits, and nobody else believes to lead; empty where it does. */
  function trouble(cluster: TimedCluster): string {
    cluster.run(4000);
    const [leader, ...others] = cluster.leaders();
    if (leader === undefined) return "nobody leads";
    if (others.length > 0) return `${leader.id} and ${others.map(({ id }) => id).join()} lead`;
    const term = leader.state?.vote.term;
    for (let i = 1; i <= 20; i++) {
      const before = leader.state?.committed.index ?? 0;
      cluster.write(leader, `w${i}`);
      cluster.run(100);
      const now = cluster.leaders().map(({ id }) => id);
      if (now.join() !== String(leader.id)) return `${leader.id} led, and then ${now.join()}`;
      if (leader.state?.vote.term !== term) return `${leader.id} was elected again`;
      if (leader.state?.committed.index !== before + 1) return `${leader.id} does not commit`;
    }
    return "";
  }

  const variants = [
    { switches: { preVote: true }, config: { leaseMs: null } },
    { switches: { preVote: false }, config: { leaseMs: null } },
    { switches: { preVote: true }, config: { leaseMs: 140 } },
  ];

  /** A cluster that has a leader already, or is about to elect its first. */
  function begun(
    nodes: number,
    variant: (typeof variants)[number],
    seed: number,
    withLeader: boolean,
  ): TimedCluster {
    const cluster = new TimedCluster({ nodes, seed, ...variant });
    if (withLeader) cluster.run(1000);
    return cluster;
  }

  test.each(variants)(
    "any one link cut, one way (%o)",
    (variant) => {
      for (const [from, to] of [
        [1, 2],
        [2, 1],
        [1, 3],
        [3, 1],
        [2, 3],
        [3, 2],
      ] as const) {
        for (const withLeader of [true, false]) {
          const cluster = begun(3, variant, from * 10 + to, withLeader);
          cluster.cut(from, to);
          expect(trouble(cluster)).toBe("");
        }
      }
    },
    TIMEOUT_MS,
  );

  test.each(variants)(
    "a leader that only sends, or only hears (%o)",
    (variant) => {
      for (const sends of [true, false]) {
        const cluster = begun(5, variant, 3, true);
        const leader = cluster.leaders()[0]?.id ?? 0;
        for (const { id } of cluster.nodes()) cluster.cut(sends ? id : leader, sends ? leader : id);
        expect(trouble(cluster)).toBe("");
        expect(cluster.leaders().map(({ id }) => id)).not.toContain(leader);
      }
    },
    TIMEOUT_MS,
  );

  const chain = (...ids: number[]): [number, number][] =>
    ids.slice(1).map((each, i) => [ids[i] as number, each]);

  test.each(variants)(
    "a chain, in any order of ids (%o)",
    (variant) => {
      for (const order of [
        [1, 2, 3],
        [2, 1, 3],
        [1, 2, 3, 4, 5],
        [5, 3, 1, 2, 4],
        [3, 1, 4, 2, 5],
      ]) {
        for (const seed of [1, 2]) {
          for (const withLeader of [true, false]) {
            const cluster = begun(order.length, variant, seed, withLeader);
            cluster.leaveOnly(chain(...order));
            expect(trouble(cluster)).toBe("");
          }
        }
      }
    },
    TIMEOUT_MS,
  );

  test.each(variants)(
    "a ring (%o)",
    (variant) => {
      for (const order of [
        [1, 2, 3, 4, 5],
        [1, 4, 2, 5, 3],
      ]) {
        for (const withLeader of [true, false]) {
          const cluster = begun(5, variant, 1, withLeader);
          cluster.leaveOnly([...chain(...order), [order[4] as number, order[0] as number]]);
          expect(trouble(cluster)).toBe("");
        }
      }
    },
    TIMEOUT_MS,
  );

  test.each(variants)(
    "a star: only its middle can lead, though the ends hear from the old leader (%o)",
    (variant) => {
      const cluster = begun(5, variant, 2, true);
      const leader = cluster.leaders()[0]?.id ?? 0;
      const middle = leader === 1 ? 2 : 1;
      cluster.leaveOnly([1, 2, 3, 4, 5].filter((each) => each !== middle).map((each) => [middle, each]));
      expect(trouble(cluster)).toBe("");
      expect(cluster.leaders().map(({ id }) => id)).toEqual([middle]);
    },
    TIMEOUT_MS,
  );
});

describe("election timers do not drift into clustering", () => {
  const ELECTIONS = 1000;

  test(
    "in a thousand elections all nodes win alike, in the time that the timeouts allow, at the end as at the beginning",
    () => {
      const cluster = new TimedCluster({ nodes: 5, seed: 7 });
      cluster.run(1000);
      const wins = new Map<number, number>();
      const times: number[] = [];
      const terms: number[] = [];
      for (let i = 0; i < ELECTIONS; i++) {
        const [old] = cluster.leaders();
        const term = old?.state?.vote.term ?? 0;
        const since = cluster.now;
        old?.crash();
        expect(cluster.runUntil(() => cluster.leaders().length > 0, 1000)).toBe(true);
        const winner = cluster.leaders()[0] as SimNode;
        wins.set(winner.id, (wins.get(winner.id) ?? 0) + 1);
        times.push(cluster.now - since);
        terms.push((winner.state?.vote.term ?? 0) - term);
        old?.start();
        cluster.run(100 + 50 * cluster.random.next());
      }
      const mean = (list: readonly number[]): number =>
        list.reduce((sum, each) => sum + each, 0) / list.length;
      for (const node of cluster.nodes()) {
        expect(wins.get(node.id)).toBeGreaterThan(ELECTIONS * 0.15);
        expect(wins.get(node.id)).toBeLessThan(ELECTIONS * 0.25);
      }
      expect(Math.max(...times)).toBeLessThan(600);
      const half = ELECTIONS / 2;
      for (const part of [times.slice(0, half), times.slice(half)]) {
        // The earliest of four timeouts, each 150 to 300 ms after a heartbeat that is up to 50 ms old.
        expect(mean(part)).toBeGreaterThan(140);
        expect(mean(part)).toBeLessThan(200);
        expect(new Set(part.map((time) => Math.floor(time / 10))).size).toBeGreaterThan(8);
      }
      expect(mean(terms)).toBeLessThan(1.05);
    },
    TIMEOUT_MS,
  );
});
