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
    expect(COMMANDS.map(usageOf)).toContain("DEL key [key ...]");
    expect(COMMANDS.map(usageOf)).toContain("STATUS");
  });
});
