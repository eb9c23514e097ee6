import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { checkLinearizability } from "./check-linearizability.js";
import { redisStringModel } from "./models/redis-string.js";
import { parseRedisHistory } from "./parse-redis-history.js";

const line = { client: 1, f: "get", key: "k", nil: true, call: 1, ret: 2, status: "ok" };

describe("a history of Redis commands from JSON", () => {
  test("keeps what it says", () => {
    const json = [
      line,
      { client: "c", f: "append", key: "k", arg: "a", out: "1", call: 3, ret: 4, status: "ok" },
      { client: 1, f: "incr", key: "k", call: 5, ret: null, status: "unknown" },
      { client: 2, f: "set", key: "l", arg: "", call: 6, ret: 7, status: "fail" },
    ];
    expect(parseRedisHistory(json)).toEqual([
      { client: 1, input: { key: "k", f: "get" }, output: null, call: 1, ret: 2, status: "ok" },
      {
        client: "c",
        input: { key: "k", f: "append", value: "a" },
        output: "1",
        call: 3,
        ret: 4,
        status: "ok",
      },
      { client: 1, input: { key: "k", f: "incr" }, call: 5, ret: null, status: "unknown" },
      { client: 2, input: { key: "l", f: "set", value: "" }, call: 6, ret: 7, status: "fail" },
    ]);
  });

  test.each([
    [{ f: "set", arg: "v" }, "OK"],
    [{ f: "setnx", arg: "v" }, "OK"],
    [{ f: "setxx", arg: "v" }, "OK"],
    [{ f: "setnx", arg: "v", nil: true }, null],
    [{ f: "setnx", arg: "v", out: null }, null],
    [{ f: "setnx", arg: "v", out: "1" }, "OK"],
    [{ f: "setnx", arg: "v", out: "0" }, null],
    [{ f: "set", arg: "v", out: "OK" }, "OK"],
    [{ f: "get", out: "1" }, "1"],
  ])("%j was answered %j", (given, output) => {
    const { nil: _, ...rest } = line;
    expect(parseRedisHistory([{ ...rest, ...given }])).toMatchObject([{ output }]);
  });

  test.each<[string, unknown]>([
    ["history", {}],
    ["history[0]", ["get"]],
    ["history[0].f", [{ ...line, f: "GET" }]],
    ["history[1].f", [line, { ...line, f: "constructor" }]],
    ["history[0].key", [{ ...line, key: 5 }]],
    ["history[0].arg", [{ ...line, f: "set" }]],
    ["history[0].out", [{ ...line, nil: undefined }]],
    ["history[0].out", [{ ...line, nil: false, out: 1 }]],
  ])("with a wrong %s is refused by that name", (field, json) => {
    expect(() => parseRedisHistory(json)).toThrow(expect.objectContaining({ field }));
    expect(() => parseRedisHistory(json)).toThrow(InvalidValueError);
  });

  test("times and clients are checked with the history", () => {
    const history = parseRedisHistory([{ ...line, ret: 0 }]);
    expect(() => checkLinearizability(history, redisStringModel())).toThrow("history[0].ret");
  });
});
