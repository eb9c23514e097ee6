import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Catch } from "./hunt.js";
import { CHECKS_OFF, falseCatches, hunt } from "./hunt.js";
import { MUTANTS } from "./mutants.js";

/** How many seeds may be run before a mutant is caught, from the one on that is known to do it. A change of plans moves it. */
const BUDGET = 40;

const sourceOf = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");

describe("a mutant", () => {
  test("is hunted with the checks of the engine off, where they are turned on", () => {
    expect(sourceOf(CHECKS_OFF.file).split(CHECKS_OFF.replace)).toHaveLength(2);
  });

  test.each(MUTANTS)("$id, that $name, is planted where the source still is as it was", ({ edits }) => {
    for (const { file, replace, by } of edits) {
      expect(sourceOf(file).split(replace), `${file} holds this once: ${replace}`).toHaveLength(2);
      expect(by).not.toBe(replace);
    }
  });
});

describe("the simulator catches from outside, the checks of the engine being off, a node that", () => {
  const catches: Catch[] = [];

  test.each(MUTANTS)("$id $name", async ({ edits, plan = {}, caught: { seed, by } }) => {
    const outcomes = await hunt({ edits, plan }, { from: seed, runs: BUDGET, by: "oracle" });
    const last = outcomes.at(-1);
    expect(by, JSON.stringify(last)).toContain(last?.property?.split(" ")[0]);
    catches.push({ seed: last?.seed ?? 0, plan });
  });

  test("and that is why: without the mutant, none of these runs fails", async () => {
    expect(catches.length).toBeGreaterThan(0);
    expect(await falseCatches(catches, "oracle")).toStrictEqual([]);
  });
});
