import { describe, expect, test } from "vitest";
import type { Summary } from "./cluster/cluster.js";
import { runSeed, storyOf } from "./cluster/run-seed.js";

const BATCHES = 5;
const SEEDS_IN_A_BATCH = 50;
const STEPS = 2500;

/** More than twice as many seeds as any broken host has needed to be found out. */
const SEEDS_TO_FIND_A_BUG = 250;

/** A batch takes a second or two; this is for a machine that does something else. */
const TIMEOUT_MS = 60_000;

/** What a batch must have seen at least, for each of its seeds: a run in which nothing happens proves nothing. */
const WORTHWHILE: Readonly<Record<keyof Summary, number>> = {
  terms: 2,
  committed: 30,
  readsServed: 15,
  leaseReads: 2,
  followerReads: 1,
  quorumsLost: 0.2,
  crashes: 5,
  wipes: 0.3,
  stalls: 0.5,
  purges: 0.7,
  changes: 1.5,
  transfers: 0.8,
  installs: 0.4,
  interruptedInstalls: 0.01,
};

function total(summaries: readonly Summary[], part: keyof Summary): number {
  return summaries.reduce((sum, summary) => sum + summary[part], 0);
}

describe("clusters with lost, late and repeated messages, slow and erased disks, crashes, and an operator who never rests", () => {
  test.each(Array.from({ length: BATCHES }, (_, batch) => batch * SEEDS_IN_A_BATCH + 1))(
    "keep every promise of the Raft paper (figure 3), and recover: seeds from %i on",
    (first) => {
      const summaries = Array.from({ length: SEEDS_IN_A_BATCH }, (_, i) => runSeed(first + i, STEPS));
      for (const part of Object.keys(WORTHWHILE) as (keyof Summary)[]) {
        const found = { [part]: total(summaries, part) };
        expect(found[part], part).toBeGreaterThan(WORTHWHILE[part] * SEEDS_IN_A_BATCH);
      }
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
    ["losesEntries", "Leader Completeness"],
    ["hasDriftingClocks", "misses what was committed"],
    ["trustsErasedDisks", "Leader Completeness"],
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
