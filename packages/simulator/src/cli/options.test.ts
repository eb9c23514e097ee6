import { describe, expect, test } from "vitest";
import { HELP, parseOptions } from "./options.js";

describe("the options", () => {
  test("are a hundred seeds from the first on, on one thread, where nothing is said", () => {
    expect(parseOptions([])).toStrictEqual({
      mode: "many",
      from: 1,
      seeds: 100,
      minutes: Number.POSITIVE_INFINITY,
      jobs: 1,
      requireCoverage: false,
      twice: false,
      json: false,
      size: null,
      maxSteps: null,
      out: null,
    });
  });

  test("are as many seeds as it takes where only the time is said, and a number of them where both are", () => {
    expect(parseOptions(["--minutes", "1.5"])).toMatchObject({
      minutes: 1.5,
      seeds: Number.POSITIVE_INFINITY,
    });
    expect(parseOptions(["--minutes", "2", "--seeds", "7"])).toMatchObject({ minutes: 2, seeds: 7 });
  });

  test("are about one run where a seed is named", () => {
    expect(
      parseOptions(["--seed", "0", "--trace", "--size", "5", "--steps", "900", "--out", "x"]),
    ).toStrictEqual({
      mode: "one",
      seed: 0,
      trace: true,
      minimize: false,
      size: 5,
      maxSteps: 900,
      out: "x",
    });
  });

  test("begin at a seed that nobody knows yet with --fresh", () => {
    expect(parseOptions(["--fresh"])).toMatchObject({ from: null });
  });

  test.each([
    [["--seeds", "0"], '--seeds is "0", but it must be a whole number from 1 on'],
    [["--seeds", ""], '--seeds is "", but it must be a whole number from 1 on'],
    [["--seeds", "1e99"], "--seeds is "],
    [["--jobs", "65"], '--jobs is "65", but it must be a whole number from 1 to 64'],
    [["--size", "8"], '--size is "8", but it must be a whole number from 1 to 7'],
    [["--minutes=-1"], '--minutes is "-1", but it must be a number above 0'],
    [["--steps", "half"], '--steps is "half"'],
    [["--trace"], "--trace needs --seed: it is about one run"],
    [["--minimize"], "--minimize needs --seed"],
    [["--seed", "3", "--jobs", "2"], "--jobs does not go with --seed: it is about many seeds"],
    [["--seed", "3", "--json"], "--json does not go with --seed"],
    [["--from", "3", "--fresh"], "--from does not go with --fresh"],
    [["--sedes", "3"], "--sedes"],
    [["3"], "3"],
  ])("%j make no sense, and it is said why", (args, problem) => {
    expect(() => parseOptions(args)).toThrow(problem);
  });

  test("are all in the help, and the help has no others", () => {
    const named = new Set([...HELP.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name as string));
    expect(named.size).toBe(15);
    for (const name of named) {
      const args = [name, "1"].slice(
        0,
        HELP.includes(`  ${name} `) && /^ {2}--[a-z-]+ [A-Z]/m.test(line(name)) ? 2 : 1,
      );
      const needsSeed = name === "--trace" || name === "--minimize" ? ["--seed", "1"] : [];
      expect(() => parseOptions([...args, ...needsSeed]), name).not.toThrow();
    }
  });
});

/** The line of the help that is about an option. */
function line(name: string): string {
  return HELP.split("\n").find((text) => text.startsWith(`  ${name} `)) ?? "";
}
