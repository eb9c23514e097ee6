import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.js";

describe("the options", () => {
  test("have defaults that suit a look at the whole", () => {
    expect(parseOptions([])).toEqual({
      name: "minimal",
      json: false,
      quick: false,
      seconds: 1,
      rounds: 5,
      scale: 1,
      clients: undefined,
      compare: null,
      report: false,
      help: false,
    });
  });

  test("quick is less of everything, unless more is said", () => {
    expect(parseOptions(["--quick"])).toMatchObject({ seconds: 0.2, scale: 0.05, rounds: 5 });
    expect(parseOptions(["--quick", "--seconds", "3", "--scale", "0.5"])).toMatchObject({
      seconds: 3,
      scale: 0.5,
    });
  });

  test("are taken as they are given", () => {
    const args = ["reads", "--json", "--clients", "1,64", "--rounds", "9", "--compare", "../main"];
    expect(parseOptions(args)).toMatchObject({
      name: "reads",
      json: true,
      clients: [1, 64],
      rounds: 9,
      compare: "../main",
    });
  });

  test("a report without a name is about everything", () => {
    expect(parseOptions(["--report"]).name).toBe("all");
    expect(parseOptions(["reads", "--report"]).name).toBe("reads");
  });

  test.each([
    [["nonsense"], 'no benchmark "nonsense"'],
    [["minimal", "reads"], "one benchmark at a time"],
    [["--clients", "1,,2"], '--clients is ""'],
    [["--clients", "0"], '--clients is "0"'],
    [["--clients", "1.5"], '--clients is "1.5"'],
    [["--clients", "100000"], "from 1 to 10000"],
    [["--rounds", "many"], '--rounds is "many"'],
    [["--seconds", "0"], '--seconds is "0"'],
    [["--seconds", "1e9"], '--seconds is "1e9"'],
    [["--scale", "2"], '--scale is "2"'],
    [["--fast"], "--fast"],
    [["all", "--compare", "x"], "--compare takes one benchmark"],
    [["minimal", "--report", "--compare", "x"], "--compare takes one benchmark"],
    [["check", "--report"], "nothing to report"],
  ])("%j is refused: %s", (args, problem) => {
    expect(() => parseOptions(args)).toThrow(problem);
  });
});
