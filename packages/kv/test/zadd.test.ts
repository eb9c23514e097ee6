import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

describe("ZADD", () => {
  function scored(): Node {
    const node = new Node();
    node.run("ZADD z 5 a");
    return node;
  }

  test.each([
    ["ZADD z 7 a 1 b", 1, "7", "1"],
    ["ZADD z CH 7 a 1 b", 2, "7", "1"],
    ["ZADD z NX 7 a 1 b", 1, "5", "1"],
    // Redis reads numbers with strtod, which knows hexadecimal ones.
    ["ZADD z 0x1p3 a -0x.8 b", 1, "8", "-0.5"],
    ["ZADD z XX 7 a 1 b", 0, "7", null],
    ["ZADD z XX CH 7 a 1 b", 1, "7", null],
    ["ZADD z GT 4 a 1 b", 1, "5", "1"],
    ["ZADD z GT CH 6 a", 1, "6", null],
    ["ZADD z LT 6 a", 0, "5", null],
    ["ZADD z LT CH 4 a", 1, "4", null],
    ["ZADD z GT XX 6 a 1 b", 0, "6", null],
    ["ZADD z INCR 2 a", "7", "7", null],
    ["ZADD z INCR 2 b", "2", "5", "2"],
    ["ZADD z NX INCR 2 a", null, "5", null],
    ["ZADD z XX INCR 2 b", null, "5", null],
    ["ZADD z GT INCR -2 a", null, "5", null],
    ["ZADD z LT INCR -2 a", "3", "3", null],
  ])("%s answers %j", (words, reply, a, b) => {
    const node = scored();
    expect([node.run(words), node.read("ZSCORE z a"), node.read("ZSCORE z b")]).toEqual([reply, a, b]);
  });

  test("refuses what is no number in the end, and leaves everything as it was", () => {
    const node = scored();
    node.run("ZADD z inf a");
    expect(node.run("ZINCRBY z -inf a")).toBe("-ERR resulting score is not a number (NaN)");
    expect(node.run("ZADD z 1 b nan c")).toBe("-ERR value is not a valid float");
    expect(node.read("ZRANGE z 0 -1 WITHSCORES")).toEqual(["a", "Infinity"]);
  });
});
