import { describe, expect, test } from "vitest";
import { HELP, parseOptions } from "./options.js";

describe("the options", () => {
  test("are twenty rounds of a seed that nobody knows yet where nothing is said", () => {
    expect(parseOptions([])).toStrictEqual({
      help: false,
      target: "nodes",
      rounds: 20,
      seed: null,
      dir: null,
      plant: null,
      json: false,
    });
  });

  test("are what is said", () => {
    const args = ["--rounds", "3", "--seed", "0", "--dir", "x", "--plant", "early-ack", "--json"];
    expect(parseOptions(args)).toMatchObject({
      rounds: 3,
      seed: 0,
      dir: "x",
      plant: "early-ack",
      json: true,
    });
  });

  test.each([
    [["--rounds", "0"], '--rounds is "0", but it must be a whole number from 1 on'],
    [["--rounds", ""], '--rounds is "", but it must be'],
    [["--seed=-1"], '--seed is "-1", but it must be a whole number from 0 on'],
    [["--plant", "weeds"], '--plant is "weeds", but it must be one of early-ack, lost-apply, stale-read'],
    [["--target", "clouds"], '--target is "clouds", but it must be one of nodes, servers'],
    [["--target", "servers", "--plant", "stale-read"], "servers can be given early-ack alone"],
    [["--dir", ""], "--dir is empty"],
    [["--round", "3"], "--round"],
    [["3"], "3"],
  ])("%j make no sense, and it is said why", (args, problem) => {
    expect(() => parseOptions(args)).toThrow(problem);
  });

  test("are all in the help, and the help has no others", () => {
    const named = new Set([...HELP.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, name]) => name));
    expect(named).toEqual(
      new Set(["--target", "--rounds", "--seed", "--dir", "--plant", "--json", "--help"]),
    );
  });
});
