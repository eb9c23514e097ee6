import { describe, expect, test } from "vitest";
import { DEFAULT_KV_CONFIG, checkKvConfig, encodeKvEntry } from "../src/index.js";
import { Node, command } from "./node.js";

const long = (count: number): string => "x".repeat(count);

describe("limits", () => {
  test("are 256 bytes for keys and 64 KiB for values, at first", () => {
    const node = new Node();
    expect(node.machine.config).toEqual(DEFAULT_KV_CONFIG);
    expect(node.run(["SET", long(256), "v"])).toBe("+OK");
    expect(node.run(["SET", "a", long(65_536)])).toBe("+OK");
    for (const words of [
      ["SET", long(257), "v"],
      ["SETNX", long(257), "v"],
      ["MSET", "ok", "v", long(257), "v"],
      ["INCR", long(257)],
      ["APPEND", long(257), "v"],
      ["RENAME", "a", long(257)],
      ["COPY", "a", long(257)],
      ["HSET", long(257), "f", "v"],
      ["LPUSH", long(257), "v"],
      ["SADD", long(257), "v"],
      ["ZADD", long(257), "1", "v"],
    ]) {
      expect([words[0], node.run(words)]).toEqual([words[0], "-ERR key too large"]);
    }
    for (const words of [
      ["SET", "b", long(65_537)],
      ["SET", "b", long(65_537), "NX"],
      ["SETEX", "b", "10", long(65_537)],
      ["SETNX", "b", long(65_537)],
      ["GETSET", "b", long(65_537)],
      ["MSET", "b", "v", "c", long(65_537)],
      ["APPEND", "a", "y"],
      ["SETRANGE", "a", "65536", "y"],
      ["SETRANGE", "b", "65536", "y"],
      ["HSET", "b", "f", long(65_537)],
      ["HSET", "b", long(65_537), "v"],
      ["HSETNX", "b", "f", long(65_537)],
      ["HINCRBY", "b", long(65_537), "1"],
      ["LPUSH", "b", "v", long(65_537)],
      ["SADD", "b", long(65_537)],
      ["ZADD", "b", "1", long(65_537)],
    ]) {
      expect([words[0], node.run(words)]).toEqual([words[0], "-ERR value too large"]);
    }
    expect([node.read("EXISTS b c ok"), node.read("DBSIZE"), node.read("STRLEN a")]).toEqual([0, 2, 65_536]);
  });

  test("do not keep anybody from reading or removing", () => {
    const node = new Node();
    node.run(["SET", long(200), "v"]);
    expect(node.configure({ maxKeyBytes: 10, maxValueBytes: 1 })).toBe("+OK");
    expect(node.read(["GET", long(200)])).toBe("v");
    expect(node.run(["DEL", long(200), long(300)])).toBe(1);
    expect(node.run("SET a vv")).toBe("-ERR value too large");
    // What a change does not name stays as it is.
    node.configure({ maxMemoryBytes: 7 });
    expect(node.machine.config).toEqual({ maxKeyBytes: 10, maxValueBytes: 1, maxMemoryBytes: 7 });
  });

  test("may be Redis's own, with its error", () => {
    const node = new Node();
    node.configure({ maxValueBytes: 536_870_912 });
    expect(node.run("SETRANGE a 536870912 x")).toBe(
      "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
    );
  });

  test("are checked before they are proposed", () => {
    expect(() => checkKvConfig({ maxKeyBytes: 0 })).toThrow("config.maxKeyBytes is 0");
    expect(() => checkKvConfig({ maxValueBytes: 536_870_913 })).toThrow("config.maxValueBytes");
    expect(() => checkKvConfig({ size: 1 } as object)).toThrow("maxKeyBytes, maxValueBytes, maxMemoryBytes");
    const part = { type: "config" as const, config: { maxMemoryBytes: -1 } };
    expect(() => encodeKvEntry({ timeMs: 1, seed: 1, parts: [part] })).toThrow("config.maxMemoryBytes is -1");
  });
});

describe("maxmemory", () => {
  test("refuses what adds to the data once there is more, and lets the rest", () => {
    const node = new Node();
    node.run(["SET", "a", long(1000)]);
    node.configure({ maxMemoryBytes: 500 });
    const oom = "-OOM command not allowed when used memory > 'maxmemory'.";
    for (const words of [
      "SET b 1",
      "INCR b",
      "APPEND a x",
      "HSET h f v",
      "LPUSH l v",
      "SADD s v",
      "ZADD z 1 v",
      "COPY a b",
    ]) {
      expect([words, node.run(words)]).toEqual([words, oom]);
    }
    expect([(node.run("GETDEL a") as string).length, node.run("SET b 1")]).toEqual([1000, "+OK"]);
    node.configure({ maxMemoryBytes: 0 });
  });

  test("counts what there is, not how it came about: without any data, nothing", () => {
    const node = new Node();
    const fill = [
      "SET a 1",
      "APPEND a 22",
      "SET b 1 EX 10",
      "PERSIST b",
      "EXPIRE a 9",
      "HSET h f 1 g 2",
      "HSET h f 333",
      "HDEL h g",
    ];
    const more = [
      "RPUSH l a b c",
      "LTRIM l 1 1",
      "LSET l 0 zz",
      "SADD s a b",
      "SREM s a",
      "ZADD z 1 a 2 b",
      "ZADD z 5 a",
      "ZREM z b",
    ];
    for (const words of [...fill, ...more, "COPY z z2", "RENAME l l2", "SUNIONSTORE s2 s"]) node.run(words);
    const direct = new Node();
    for (const words of [
      "SET a 122 EX 9",
      "SET b 1",
      "HSET h f 333",
      "RPUSH l2 zz",
      "SADD s b",
      "ZADD z 5 a",
      "ZADD z2 5 a",
      "SADD s2 b",
    ]) {
      direct.run(words);
    }
    expect(node.machine.usedBytes).toBe(direct.machine.usedBytes);
    for (const key of ["a", "b", "h", "l2", "s", "z", "z2", "s2"]) node.run(`DEL ${key}`);
    expect(node.machine.usedBytes).toBe(0);
    node.run("SET a 1");
    node.run("FLUSHALL");
    expect(node.machine.usedBytes).toBe(0);
  });
});

test("the replies of one entry are bounded: an entry that no memory holds the replies of would stop every node, and again at each start", () => {
  const node = new Node();
  node.run(["SADD", "set", long(60_000)]);
  node.run(["SET", "text", long(300)]);
  const commands = [
    "SET done 1",
    // The same member again and again takes little memory: 180 MB by the account, twice.
    "SRANDMEMBER set -3000",
    "SRANDMEMBER set -3000",
    "GET text",
    "INCR done",
    "GETEX text",
    "DEL text",
  ].map((words) => command(words));
  const nothingRead = expect.objectContaining({
    message: expect.stringMatching(/^ERR nothing was read: .* 268435456 bytes/),
  });
  const leftOut = expect.objectContaining({
    message: expect.stringMatching(/^ERR the command was carried out, and its reply left out/),
  });
  const check = ([set, first, second, get, incr, getex, del]: readonly unknown[]): void => {
    expect([set, (first as []).length, (second as []).length]).toEqual([
      { type: "simple", text: "OK" },
      3000,
      3000,
    ]);
    expect([get, incr, getex, del]).toEqual([nothingRead, 2, leftOut, 1]);
  };

  check(node.apply([{ type: "transaction", watched: [], commands }])[0] as readonly unknown[]);
  expect(node.read("GET done")).toBe("2");
  // Each entry anew, and all parts of one together.
  node.run(["SET", "text", long(300)]);
  check(node.apply(commands.map((args) => ({ type: "command", args }))));
});
