import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { BadLineError } from "./bad-line-error.js";
import { CLUSTER_COMMANDS, SINGLE_NODE_COMMANDS, parseCommand, usageOf } from "./command.js";
import { splitArguments } from "./split-arguments.js";

function parse(line: string): unknown {
  return parseCommand(splitArguments(bytes(line)), SINGLE_NODE_COMMANDS);
}

describe("parseCommand", () => {
  test.each([
    ["SET k v", { type: "set", key: bytes("k"), value: bytes("v") }],
    ['set "" ""', { type: "set", key: bytes(""), value: bytes("") }],
    ["Get k", { type: "get", key: bytes("k") }],
    ["DEL a b a", { type: "del", keys: [bytes("a"), bytes("b"), bytes("a")] }],
    ["eXists a", { type: "exists", keys: [bytes("a")] }],
    ["status", { type: "status" }],
    ["snapshot", { type: "snapshot" }],
    ["RESTART", { type: "restart" }],
    ["quit", { type: "quit" }],
    ["EXIT", { type: "quit" }],
    ["help", { type: "help", topic: null }],
  ])("%s is understood, in any case", (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  test("HELP with a command's name is about that command", () => {
    expect(parse("help dEl")).toMatchObject({ type: "help", topic: { name: "DEL" } });
  });

  test.each([
    ["SET k", "SET has 1 argument, but it is written: SET key value"],
    ["SET k v EX 10", "SET has 4 arguments, but it is written: SET key value"],
    ["GET", "GET has 0 arguments, but it is written: GET key"],
    ["DEL", "DEL has 0 arguments"],
    ["EXISTS", "EXISTS has 0 arguments"],
    ["STATUS now", "STATUS has 1 argument, but it is written: STATUS"],
    ["RESTART now", "RESTART has 1 argument"],
    ["FLUSHALL", 'unknown command "FLUSHALL": HELP lists the commands'],
    ["HELP me", 'unknown command "me"'],
    ['""', 'unknown command ""'],
    ['"\\x00\\xff"', String.raw`unknown command "\x00\xff"`],
  ])("%s is refused, and the error says how it is written", (line, problem) => {
    expect(() => parse(line)).toThrow(BadLineError);
    expect(() => parse(line)).toThrow(problem);
  });

  test("an unknown word is shown shortened, however long it is", () => {
    expect(() => parse("x".repeat(100_000))).toThrow(/^unknown command "x{40}"\.\.\.: HELP/);
  });

  test("a command is written with its name and its arguments", () => {
    expect(SINGLE_NODE_COMMANDS.specs.map(usageOf)).toContain("DEL key [key ...]");
    expect(SINGLE_NODE_COMMANDS.specs.map(usageOf)).toContain("STATUS");
  });
});

function parseForNodes(line: string): unknown {
  return parseCommand(splitArguments(bytes(line)), CLUSTER_COMMANDS);
}

describe("parseCommand, where there are several nodes", () => {
  test.each([
    ["set k v", { type: "set", key: bytes("k"), value: bytes("v") }],
    ["Kill 2", { type: "kill", node: 2 }],
    ["RESTART 12", { type: "restartNode", node: 12 }],
    ["snapshot", { type: "snapshotNodes", node: null }],
    ["SNAPSHOT 3", { type: "snapshotNodes", node: 3 }],
    ["heal", { type: "heal" }],
    ["PARTITION 1 | 2,3", { type: "partition", groups: [[1], [2, 3]] }],
    ["PARTITION 1|2,3", { type: "partition", groups: [[1], [2, 3]] }],
    ["partition 1 , 4 | 2 3|5", { type: "partition", groups: [[1, 4], [2, 3], [5]] }],
    ["PARTITION 2", { type: "partition", groups: [[2]] }],
  ])("%s is understood", (line, command) => {
    expect(parseForNodes(line)).toEqual(command);
  });

  test.each([
    ["KILL", "KILL has 0 arguments, but it is written: KILL node"],
    ["KILL 1 2", "KILL has 2 arguments, but it is written: KILL node"],
    ["KILL all", 'KILL is given "all", but a node is a number from 1 on'],
    ["KILL 0", 'KILL is given "0", but a node is a number from 1 on'],
    ["KILL 1.5", 'KILL is given "1.5", but'],
    ["KILL -1", 'KILL is given "-1", but'],
    ["KILL 1e3", 'KILL is given "1e3", but'],
    ["RESTART", "RESTART has 0 arguments, but it is written: RESTART node"],
    ["SNAPSHOT a", 'SNAPSHOT is given "a", but a node is'],
    ["HEAL 1", "HEAL has 1 argument, but it is written: HEAL"],
    ["PARTITION", "PARTITION has 0 arguments"],
    ["PARTITION |", "PARTITION is given a group without nodes"],
    ["PARTITION 1 | | 2", "PARTITION is given a group without nodes"],
    ["PARTITION 1 |", "PARTITION is given a group without nodes"],
    ["PARTITION 1,,2", 'PARTITION is given "", but a node is a number from 1 on'],
    ["PARTITION 1 | x", 'PARTITION is given "x", but a node is a number from 1 on'],
    ["FLUSHALL", 'unknown command "FLUSHALL": HELP lists the commands'],
  ])("%s is refused, and the error says why", (line, problem) => {
    expect(() => parseForNodes(line)).toThrow(BadLineError);
    expect(() => parseForNodes(line)).toThrow(problem);
  });

  test("a node that is given as a whole file is shown shortened", () => {
    expect(() => parseForNodes(`KILL ${"x".repeat(100_000)}`)).toThrow(/^KILL is given "x{40}"\.\.\., but/);
  });

  test.each(["KILL 1", "PARTITION 1 | 2", "heal", "HELP kill"])(
    "on one node %s says what it needs",
    (line) => {
      expect(() => parse(line)).toThrow(BadLineError);
      expect(() => parse(line)).toThrow(/^(KILL|PARTITION|HEAL) needs several nodes: start with --nodes 3$/);
    },
  );
});
