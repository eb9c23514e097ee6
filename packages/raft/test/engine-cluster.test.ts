import { describe, expect, test } from "vitest";
import type { Summary } from "./cluster/cluster.js";
import { runSeed, storyOf } from "./cluster/run-seed.js";

const BATCHES = 10;
const SEEDS_IN_A_BATCH = 50;
const STEPS = 2500;

/** More than twice as many seeds as any broken host has needed to be found out. */
const SEEDS_TO_FIND_A_BUG = 200;

/** A batch takes a fraction of a second; this is for a machine that does something else. */
const TIMEOUT_MS = 60_000;

function total(summaries: readonly Summary[], part: keyof Summary): number {
  return summaries.reduce((sum, summary) => sum + summary[part], 0);
}

describe("clusters with lost, late and repeated messages, slow disks, crashes and membership changes", () => {
  test.each(Array.from({ length: BATCHES }, (_, batch) => batch * SEEDS_IN_A_BATCH + 1))(
    "keep every promise of the Raft paper (figure 3), and recover: seeds from %i on",
    (first) => {
      const summaries = Array.from({ length: SEEDS_IN_A_BATCH }, (_, i) => runSeed(first + i, STEPS));
      // A run in which nothing happens proves nothing.
      expect(total(summaries, "terms")).toBeGreaterThan(1.5 * SEEDS_IN_A_BATCH);
      expect(total(summaries, "committed")).toBeGreaterThan(20 * SEEDS_IN_A_BATCH);
      expect(total(summaries, "readsServed")).toBeGreaterThan(2 * SEEDS_IN_A_BATCH);
      expect(total(summaries, "leaseReads")).toBeGreaterThan(SEEDS_IN_A_BATCH);
      expect(total(summaries, "followerReads")).toBeGreaterThan(SEEDS_IN_A_BATCH / 2);
      expect(total(summaries, "quorumsLost")).toBeGreaterThan(SEEDS_IN_A_BATCH / 10);
      expect(total(summaries, "crashes")).toBeGreaterThan(4 * SEEDS_IN_A_BATCH);
      expect(total(summaries, "membershipChanges")).toBeGreaterThan(SEEDS_IN_A_BATCH / 5);
      expect(total(summaries, "purges")).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test("go the same way every time, message by message, by their seed alone", () => {
    for (const seed of [1, 2, 3]) {
      const story = storyOf(seed, STEPS);
      expect(story.length).toBeGreaterThan(STEPS / 3);
      expect(storyOf(seed, STEPS)).toEqual(story);
    }
    expect(storyOf(4, STEPS)).not.toEqual(storyOf(5, STEPS));
  });

  test.each([
    ["answersEarly", "before it is durable"],
    ["forgetsVote", "voted for"],
    ["losesEntries", "committed"],
    ["hasDriftingClocks", "misses what was committed"],
  ] as const)(
    "are found out within a few seeds when a host %s",
    (sabotage, message) => {
      const runAll = (): void => {
        for (let seed = 1; seed <= SEEDS_TO_FIND_A_BUG; seed++) runSeed(seed, STEPS, sabotage);
      };
      expect(runAll).toThrow(message);
    },
    TIMEOUT_MS,
  );
});
