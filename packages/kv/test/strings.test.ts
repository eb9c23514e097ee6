import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

describe("SET with a condition", () => {
  test("sets when the value is what is expected, and keeps what is there when it is not", () => {
    const node = new Node();
    expect([node.run("SET a 1 IFEQ 0"), node.run("SET a 1 IFNE 0")]).toEqual([null, "+OK"]);
    expect([node.run("SET a 2 IFEQ 1"), node.run("SET a 3 IFEQ 1"), node.read("GET a")]).toEqual([
      "+OK",
      null,
      "2",
    ]);
    expect([node.run("SET a 3 IFNE 2"), node.run("SET a 4 IFNE 1 GET"), node.read("GET a")]).toEqual([
      null,
      "2",
      "4",
    ]);
    expect([node.run("SET a 5 IFEQ 4 PX 100"), node.read("PTTL a")]).toEqual(["+OK", 100]);
    node.run("LPUSH l 1");
    expect(node.run("SET l 1 IFEQ 1")).toBe(
      "-WRONGTYPE Operation against a key holding the wrong kind of value",
    );
    for (const words of ["SET a 1 NX IFEQ 1", "SET a 1 IFEQ 1 XX", "SET a 1 IFEQ 1 IFNE 2", "SET a 1 IFEQ"]) {
      expect([words, node.run(words)]).toEqual([words, "-ERR syntax error"]);
    }
  });

  test("gives the value that was there with GET, set or not", () => {
    const node = new Node();
    node.run("SET a 1");
    expect([node.run("SET a 2 NX GET"), node.read("GET a")]).toEqual(["1", "1"]);
    expect([node.run("SET a 2 XX GET"), node.run("SET b 1 GET"), node.run("SET c 1 XX GET")]).toEqual([
      "1",
      null,
      null,
    ]);
    expect(node.read("MGET a b c")).toEqual(["2", "1", null]);
  });
});

describe("DELEX", () => {
  test("deletes when the value is what is expected", () => {
    const node = new Node();
    node.run("MSET a 1 b 1 c 1");
    expect([node.run("DELEX a IFEQ 2"), node.run("DELEX a IFEQ 1"), node.run("DELEX a IFEQ 1")]).toEqual([
      0, 1, 0,
    ]);
    expect([
      node.run("DELEX b IFNE 1"),
      node.run("DELEX b IFNE 2"),
      node.run("DELEX c"),
      node.run("DELEX c"),
    ]).toEqual([0, 1, 1, 0]);
    node.run("LPUSH l 1");
    expect(node.run("DELEX l IFEQ 1")).toBe(
      "-WRONGTYPE Operation against a key holding the wrong kind of value",
    );
    expect([node.run("DELEX l NX 1"), node.run("DELEX l IFEQ")]).toEqual([
      "-ERR syntax error",
      "-ERR wrong number of arguments for 'delex' command",
    ]);
  });
});

test("GETRANGE between ends that are both before the beginning is empty when they are in the wrong order", () => {
  const node = new Node();
  node.run("SET a hello");
  const ranges = ["-100 -200", "-200 -100", "-1 -2", "-2 -1", "0 -100", "3 1", "9 9"];
  expect(ranges.map((range) => node.read(`GETRANGE a ${range}`))).toEqual(["", "h", "", "lo", "h", "", ""]);
});
