import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CHECKS_OFF, hunt } from "./hunt.js";
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
  test.each(MUTANTS)("$id $name", async ({ edits, plan = {}, caught: { seed, by } }) => {
    const outcomes = await hunt({ edits, plan }, { from: seed, runs: BUDGET, by: "oracle" });
    const { property } = outcomes.at(-1) ?? { property: null };
    expect(by, JSON.stringify(outcomes.at(-1))).toContain(property?.split(" ")[0]);
  });
});
