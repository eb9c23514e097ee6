import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

describe("a transaction", () => {
  test("carries its commands out one after the other, an error being an answer like any other", () => {
    const node = new Node();
    expect(node.transaction(["SET a 1", "INCR a", "LPUSH a x", "NOPE", "GET a"])).toEqual([
      "+OK",
      2,
      "-WRONGTYPE Operation against a key holding the wrong kind of value",
      "-ERR unknown command 'NOPE', with args beginning with: ",
      "2",
    ]);
    expect(node.transaction([])).toEqual([]);
  });

  test("is carried out when what it watches is as it was, and not at all when it is not", () => {
    const node = new Node();
    node.run("SET a 1");
    const version = node.version("a");
    expect(version).toBe(node.index);
    expect(node.transaction(["INCR a"], [["a", version]])).toEqual([2]);
    expect(node.version("a")).toBe(node.index);
    expect(node.transaction(["INCR a"], [["a", version]])).toBe("null array");
    expect(node.transaction(["SET b 1"], [["b", 0]])).toEqual(["+OK"]);
    expect(node.transaction(["SET b 2"], [["b", 0]])).toBe("null array");
    expect([node.read("GET a"), node.read("GET b")]).toEqual(["2", "1"]);
  });

  test.each([
    ["APPEND s x", "s"],
    ["EXPIRE s 100", "s"],
    ["PERSIST t", "t"],
    ["SETRANGE s 0 z", "s"],
    ["HSET h f 2", "h"],
    ["HDEL h f", "h"],
    ["LPUSH l 2", "l"],
    ["LSET l 0 2", "l"],
    ["LTRIM l 0 0", "l"],
    ["SADD m 2", "m"],
    ["ZADD z 2 a", "z"],
    ["ZINCRBY z 1 a", "z"],
    ["DEL s", "s"],
    ["RENAME s s2", "s2"],
    ["COPY s h REPLACE", "h"],
    ["FLUSHALL", "z"],
    ["GETEX t PERSIST", "t"],
  ])("that watches a key learns of %s", (words, key) => {
    const node = new Node();
    const seed = ["SET s 1", "SET t 1 EX 100", "HSET h f 1", "RPUSH l 1 1", "SADD m 1", "ZADD z 1 a"];
    for (const one of seed) node.run(one);
    const watched: [string, number][] = [[key, node.version(key)]];
    node.run(words);
    expect(node.transaction(["SET done 1"], watched)).toBe("null array");
  });

  test.each([
    "GET s",
    "HDEL h nope",
    "SADD m 1",
    "SREM m 9",
    "ZADD z 1 a",
    "LREM l 0 9",
    "SETNX s 2",
    "SET s 2 NX",
    "HSETNX h f 2",
    "ZREM z q",
    "LPUSHX no 1",
  ])("that watches a key is not stopped by %s", (words) => {
    const node = new Node();
    const keys = ["s", "h", "l", "m", "z"];
    for (const one of ["SET s 1", "HSET h f 1", "RPUSH l 1", "SADD m 1", "ZADD z 1 a"]) node.run(one);
    const watched = keys.map((key): [string, number] => [key, node.version(key)]);
    node.run(words);
    expect(node.transaction(["SET done 1"], watched)).toEqual(["+OK"]);
  });

  test("learns that a key it watches is over", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    const watched: [string, number][] = [["a", node.version("a")]];
    node.timeMs += 500;
    expect(node.transaction(["SET done 1"], watched)).toBe("null array");
    expect(node.version("a")).toBe(0);
  });

  test("sees what the parts before it in its entry did", () => {
    const node = new Node();
    const utf8 = new TextEncoder();
    const args = ["SET", "a", "1"].map((word) => utf8.encode(word));
    const replies = node.apply([
      { type: "command", args },
      { type: "transaction", watched: [{ key: utf8.encode("a"), version: 0 }], commands: [args] },
    ]);
    expect(replies).toEqual([{ type: "simple", text: "OK" }, { type: "nullArray" }]);
  });

  test("that would add data is not begun when there is too much", () => {
    const node = new Node();
    node.run("SET a 1");
    node.configure({ maxMemoryBytes: 10 });
    expect(node.transaction(["DEL a", "SET b 1"])).toBe(
      "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    );
    expect(node.transaction(["DEL a"])).toEqual([1]);
  });
});
