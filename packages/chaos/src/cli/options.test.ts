import { describe, expect, test } from "vitest";
import { SCENARIOS } from "../scenario/scenarios.js";
import { HELP, parseOptions } from "./options.js";

describe("the options", () => {
  test("are all scenarios, once, of a seed that nobody knows yet where nothing is said", () => {
    expect(parseOptions([])).toStrictEqual({
      help: false,
      scenarios: SCENARIOS.map(({ name }) => name),
      rounds: 1,
      seed: null,
      network: null,
      plant: null,
      dir: null,
      json: false,
    });
  });

  test("are what is said, with scenarios in the order of the matrix", () => {
    const args = [
      "--scenario",
      "isolated-leader",
      "--scenario",
      "leader-killed",
      "--rounds",
      "3",
      "--seed",
      "0",
    ];
    expect(parseOptions([...args, "--network", "proxies", "--plant", "early-ack", "--json"])).toMatchObject({
      scenarios: ["leader-killed", "isolated-leader"],
      rounds: 3,
      seed: 0,
      network: "proxies",
      plant: "early-ack",
      json: true,
    });
  });

  test.each([
    [["--scenario", "war"], '--scenario is "war", but it must be one of leader-killed, '],
    [["--rounds", "0"], '--rounds is "0", but it must be a whole number from 1 on'],
    [["--seed=-1"], '--seed is "-1", but it must be a whole number from 0 on'],
    [["--plant", "weeds"], '--plant is "weeds", but it must be one of follower-reads, '],
    [["--network", "pigeons"], '--network is "pigeons", but it must be one of namespaces, proxies'],
    [["--dir", ""], "--dir is empty"],
    [["leader-killed"], "leader-killed"],
  ])("%j make no sense, and it is said why", (args, problem) => {
    expect(() => parseOptions(args)).toThrow(problem);
  });

  test("are all in the help, and the help has no others", () => {
    const named = new Set([...HELP.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, name]) => name));
    expect(named).toEqual(
      new Set(["--scenario", "--rounds", "--seed", "--network", "--plant", "--dir", "--json", "--help"]),
    );
    for (const { name } of SCENARIOS) expect(HELP).toContain(name);
  });
});
