import { describe, expect, test } from "vitest";
import { KV_COMMANDS, KvStateMachine, findCommand, keysOf } from "../src/index.js";
import { Node, command } from "./node.js";

const find = (name: string): NonNullable<ReturnType<typeof findCommand>> => {
  const found = findCommand(new TextEncoder().encode(name));
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

describe("the table of commands", () => {
  test("has each name once, in lower case, and finds it in any", () => {
    const names = KV_COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => name === name.toLowerCase())).toBe(true);
    expect(find("GeT")).toBe(find("get"));
    expect(findCommand(new Uint8Array(100))).toBeUndefined();
  });

  test("has rows that make sense: read or write, never both; keys where a command has keys", () => {
    for (const { name, arity, flags, firstKey, lastKey, step, acl, keys } of KV_COMMANDS) {
      const writes = flags.includes("write");
      expect([name, writes && flags.includes("readonly")]).toEqual([name, false]);
      expect([name, acl.includes(writes ? "@write" : "@read") || flags.length === 0]).toEqual([name, true]);
      expect([name, acl.includes("@fast") !== acl.includes("@slow")]).toEqual([name, true]);
      expect([name, Math.abs(arity) >= 1 && (firstKey === 0 || Math.abs(arity) > firstKey)]).toEqual([
        name,
        true,
      ]);
      expect([name, firstKey === 0 ? lastKey === 0 && step === 0 : step > 0]).toEqual([name, true]);
      expect([name, flags.includes("movablekeys")]).toEqual([name, keys !== undefined]);
    }
  });

  // As COMMAND INFO of redis-server 7.0.15 has them.
  test.each([
    ["set", -3, ["write", "denyoom"], [1, 1, 1], ["@write", "@string", "@slow"]],
    ["get", 2, ["readonly", "fast"], [1, 1, 1], ["@read", "@string", "@fast"]],
    ["mset", -3, ["write", "denyoom"], [1, -1, 2], ["@write", "@string", "@slow"]],
    ["keys", 2, ["readonly"], [0, 0, 0], ["@keyspace", "@read", "@slow", "@dangerous"]],
    ["object", -2, [], [0, 0, 0], ["@slow"]],
    ["flushall", -1, ["write"], [0, 0, 0], ["@keyspace", "@write", "@slow", "@dangerous"]],
    ["zadd", -4, ["write", "denyoom", "fast"], [1, 1, 1], ["@write", "@sortedset", "@fast"]],
    ["lmpop", -4, ["write", "movablekeys"], [0, 0, 0], ["@write", "@list", "@slow"]],
    ["zunionstore", -4, ["write", "denyoom", "movablekeys"], [1, 1, 1], ["@write", "@sortedset", "@slow"]],
  ])("says of %s what Redis says", (name, arity, flags, [first, last, step], acl) => {
    const row = find(name);
    expect([row.arity, row.flags, row.firstKey, row.lastKey, row.step, row.acl]).toEqual([
      arity,
      flags,
      first,
      last,
      step,
      acl,
    ]);
  });

  test.each([
    ["GET a", ["a"]],
    ["MSET a 1 b 2", ["a", "b"]],
    ["DEL a b c", ["a", "b", "c"]],
    ["DBSIZE", []],
    ["SINTERCARD 2 a b LIMIT 1", ["a", "b"]],
    ["ZUNIONSTORE d 2 a b", ["d", "a", "b"]],
    ["ZMPOP 9 a b", []],
    ["ZMPOP 2 a b MIN", ["a", "b"]],
    ["ZUNIONSTORE d 0 a b", []],
    ["LMPOP x a", []],
    ["RENAME a b", ["a", "b"]],
  ])("finds the keys of %s", (words, expected) => {
    const args = command(words);
    const keys = keysOf(find(Buffer.from(args[0] as Uint8Array).toString()), args);
    expect(keys.map((key) => Buffer.from(key).toString())).toEqual(expected);
  });

  test("refuses what is unknown, what has too many or too few arguments, and writes that are read", () => {
    const node = new Node();
    expect(node.run("NOPE a b")).toBe("-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' ");
    expect(node.run(["no\r\npe", "x\0y"])).toBe(
      "-ERR unknown command 'no  pe', with args beginning with: 'x' ",
    );
    expect(node.run(["N", "x".repeat(200), "y"])).toBe(
      `-ERR unknown command 'N', with args beginning with: '${"x".repeat(128)}' `,
    );
    expect([node.run("GET"), node.read("get a b")]).toEqual([
      "-ERR wrong number of arguments for 'get' command",
      "-ERR wrong number of arguments for 'get' command",
    ]);
    expect(node.read("SET a 1")).toBe("-ERR set writes, and has to be applied");
    expect(node.read("EXISTS a")).toBe(0);
    expect(node.run("OBJECT NOPE a")).toBe("-ERR unknown subcommand 'NOPE'. Try OBJECT HELP.");
    expect(node.run("OBJECT FREQ")).toBe("-ERR wrong number of arguments for 'object|freq' command");
  });

  test("answers each command in any state, whatever its arguments are", () => {
    const machine = new KvStateMachine();
    const node = new Node(machine);
    const junk = ["", "a", "1", "-1", "9223372036854775807", "nan", "LIMIT", "COUNT", "\0", "(", "["];
    for (const seed of ["SET a 1", "RPUSH 1 a", "ZADD -1 1 a", "HSET nan a 1", "SADD LIMIT a"])
      node.run(seed);
    for (const { name } of KV_COMMANDS) {
      for (let count = 0; count < 7; count++) {
        for (let turn = 0; turn < junk.length; turn++) {
          const args = Array.from({ length: count }, (_, i) => junk[(turn + i * i) % junk.length] as string);
          expect(() => node.run([name, ...args])).not.toThrow();
        }
      }
    }
  });
});
