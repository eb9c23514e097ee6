import { describe, expect, test } from "vitest";
import { ILLEGAL, UNKNOWN_OUTPUT } from "../model.js";
import { INCREMENT_OVERFLOWS, NOT_AN_INTEGER, redisStringModel } from "./redis-string.js";
import type { RedisStringInput, RedisStringReply } from "./redis-string.js";

const model = redisStringModel();

describe("Redis commands on a string key", () => {
  test.each<
    [
      string,
      string | null,
      Omit<RedisStringInput, "key"> & { value?: string },
      RedisStringReply,
      string | null,
    ]
  >([
    ["get finds nothing", null, { f: "get" }, null, null],
    ["get finds the value", "v", { f: "get" }, "v", "v"],
    ["set overwrites", "v", { f: "set", value: "w" }, "OK", "w"],
    ["setnx sets what is not there", null, { f: "setnx", value: "w" }, "OK", "w"],
    ["setnx leaves what is there", "v", { f: "setnx", value: "w" }, null, "v"],
    ["setnx leaves an empty text", "", { f: "setnx", value: "w" }, null, ""],
    ["setxx sets what is there", "v", { f: "setxx", value: "w" }, "OK", "w"],
    ["setxx leaves nothing", null, { f: "setxx", value: "w" }, null, null],
    ["setget answers the old value", "v", { f: "setget", value: "w" }, "v", "w"],
    ["setget answers nil", null, { f: "setget", value: "w" }, null, "w"],
    ["getdel takes the value away", "v", { f: "getdel" }, "v", null],
    ["getdel finds nothing", null, { f: "getdel" }, null, null],
    ["del counts the key", "v", { f: "del" }, "1", null],
    ["del counts nothing", null, { f: "del" }, "0", null],
    ["exists counts an empty text", "", { f: "exists" }, "1", ""],
    ["exists counts nothing", null, { f: "exists" }, "0", null],
    ["append makes the key", null, { f: "append", value: "ab" }, "2", "ab"],
    ["append of nothing makes the key too", null, { f: "append", value: "" }, "0", ""],
    ["append counts bytes", "aé", { f: "append", value: "€😀" }, "10", "aé€😀"],
    [
      "append counts a lone surrogate as what it is written as",
      "\ud800",
      { f: "append", value: "a" },
      "4",
      "\ud800a",
    ],
    ["incr begins at 0", null, { f: "incr" }, "1", "1"],
    ["incr counts below 0", "-1", { f: "incr" }, "0", "0"],
    ["incr is exact past 2^53", "9007199254740993", { f: "incr" }, "9007199254740994", "9007199254740994"],
    [
      "incr reaches the largest",
      "9223372036854775806",
      { f: "incr" },
      "9223372036854775807",
      "9223372036854775807",
    ],
    ["incr overflows", "9223372036854775807", { f: "incr" }, INCREMENT_OVERFLOWS, "9223372036854775807"],
    [
      "incr takes the smallest",
      "-9223372036854775808",
      { f: "incr" },
      "-9223372036854775807",
      "-9223372036854775807",
    ],
    [
      "incr refuses what is too large",
      "9223372036854775808",
      { f: "incr" },
      NOT_AN_INTEGER,
      "9223372036854775808",
    ],
    [
      "incr refuses what is too small",
      "-9223372036854775809",
      { f: "incr" },
      NOT_AN_INTEGER,
      "-9223372036854775809",
    ],
    ...["", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "v", "0x1", "-", "99999999999999999999", "1\n"].map(
      (text) =>
        [`incr refuses ${JSON.stringify(text)}`, text, { f: "incr" }, NOT_AN_INTEGER, text] as [
          string,
          string,
          { f: "incr" },
          string,
          string,
        ],
    ),
  ])("%s", (_, before, command, reply, after) => {
    const input = { key: "k", ...command } as RedisStringInput;
    expect(model.step(before, input, reply)).toBe(after);
    expect(model.step(before, input, UNKNOWN_OUTPUT)).toBe(after);
    for (const other of ["OK", null, "0", "1", "v", NOT_AN_INTEGER, INCREMENT_OVERFLOWS, "12345"]) {
      if (other !== reply) expect(model.step(before, input, other)).toBe(ILLEGAL);
    }
  });

  test("an empty text is not nothing", () => {
    expect(model.stateKey("")).not.toBe(model.stateKey(null));
  });
});
