import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { BadLineError } from "./bad-line-error.js";
import { COMMANDS, parseCommand, usageOf } from "./command.js";
import { splitArguments } from "./split-arguments.js";

function parse(line: string): unknown {
  return parseCommand(splitArguments(bytes(line)));
}

describe("parseCommand", () => {
  test.each([
    ["SET k v", { type: "set", key: bytes("k"), value: bytes("v") }],
    ['set "" ""', { type: "set", key: bytes(""), value: bytes("") }],
    ["Get k", { type: "get", key: bytes("k") }],
    ["DEL a b a", { type: "del", keys: [bytes("a"), bytes("b"), bytes("a")] }],
    ["eXists a", { type: "exists", keys: [bytes("a")] }],
    ["status", { type: "status" }],
    ["Status --watch", { type: "watch", intervalMs: 200 }],
    ["STATUS --WATCH 10", { type: "watch", intervalMs: 10 }],
    ["STATUS --watch 60000", { type: "watch", intervalMs: 60_000 }],
    ["add", { type: "add", node: null }],
    ["ADD 4", { type: "add", node: 4 }],
    ["remove 1", { type: "remove", node: 1 }],
    ["Transfer", { type: "transfer", node: null }],
    ["TRANSFER 2", { type: "transfer", node: 2 }],
    ["purge", { type: "purge", node: null }],
    ["PURGE 999999999", { type: "purge", node: 999_999_999 }],
    ["snapshot", { type: "snapshot", node: null }],
    ["SNAPSHOT 3", { type: "snapshot", node: 3 }],
    ["RESTART", { type: "restart", node: null }],
    ["RESTART 12", { type: "restart", node: 12 }],
    ["Kill 2", { type: "kill", node: 2 }],
    ["heal", { type: "heal" }],
    ["PARTITION 1 | 2,3", { type: "partition", groups: [[1], [2, 3]] }],
    ["PARTITION 1|2,3", { type: "partition", groups: [[1], [2, 3]] }],
    ["partition 1 , 4 | 2 3|5", { type: "partition", groups: [[1, 4], [2, 3], [5]] }],
    ["PARTITION 2", { type: "partition", groups: [[2]] }],
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
    ["STATUS now", 'STATUS is given "now", but only --watch may follow it'],
    ["STATUS --watch 9", 'STATUS --watch is given "9", but it looks every so many milliseconds: 10 to 60000'],
    ["STATUS --watch 60001", "10 to 60000"],
    ["STATUS --watch 1e3", "10 to 60000"],
    ["STATUS --watch 100 2", "STATUS has 3 arguments, but it is written: STATUS [--watch [ms]]"],
    ["ADD four", 'ADD is given "four", but a node is a number from 1 on'],
    ["ADD 1 2", "ADD has 2 arguments, but it is written: ADD [node]"],
    ["REMOVE", "REMOVE has 0 arguments, but it is written: REMOVE node"],
    ["REMOVE 0", 'REMOVE is given "0", but a node is'],
    ["TRANSFER me", 'TRANSFER is given "me", but a node is'],
    ["PURGE 1000000000", "but a node is"],
    ["RESTART now", 'RESTART is given "now", but a node is'],
    ["KILL", "KILL has 0 arguments, but it is written: KILL node"],
    ["KILL 1 2", "KILL has 2 arguments, but it is written: KILL node"],
    ["KILL all", 'KILL is given "all", but a node is a number from 1 on'],
    ["KILL 0", 'KILL is given "0", but a node is a number from 1 on'],
    ["KILL 1.5", 'KILL is given "1.5", but'],
    ["KILL -1", 'KILL is given "-1", but'],
    ["KILL 1e3", 'KILL is given "1e3", but'],
    ["SNAPSHOT a", 'SNAPSHOT is given "a", but a node is'],
    ["HEAL 1", "HEAL has 1 argument, but it is written: HEAL"],
    ["PARTITION", "PARTITION has 0 arguments"],
    ["PARTITION |", "PARTITION is given a group without nodes"],
    ["PARTITION 1 | | 2", "PARTITION is given a group without nodes"],
    ["PARTITION 1 |", "PARTITION is given a group without nodes"],
    ["PARTITION 1,,2", 'PARTITION is given "", but a node is a number from 1 on'],
    ["PARTITION 1 | x", 'PARTITION is given "x", but a node is a number from 1 on'],
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

  test("a node that is given as a whole file is shown shortened", () => {
    expect(() => parse(`KILL ${"x".repeat(100_000)}`)).toThrow(/^KILL is given "x{40}"\.\.\., but/);
  });

  test("a command is written with its name and its arguments", () => {
    expect(COMMANDS.map(usageOf)).toContain("DEL key [key ...]");
    expect(COMMANDS.map(usageOf)).toContain("HEAL");
  });
});
