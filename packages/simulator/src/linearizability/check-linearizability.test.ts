import { describe, expect, test } from "vitest";
import { checkLinearizability } from "./check-linearizability.js";
import type { LinearizabilityOptions } from "./check-linearizability.js";
import { redisStringModel } from "./models/redis-string.js";
import type { RedisStringInput, RedisStringReply } from "./models/redis-string.js";
import type { Operation } from "./operation.js";

type Op = Operation<RedisStringInput, RedisStringReply>;
const model = redisStringModel();
let clients = 0;

/** Each by a client of its own, unless it matters. */
function op(text: string, output: string | null, call: number, ret: number, key: string = "k"): Op {
  clients += 1;
  return { client: clients, input: input(text, key), call, ret, status: "ok", output };
}

function unknown(text: string, call: number, ret: number | null = null): Op {
  clients += 1;
  return { client: clients, input: input(text, "k"), call, ret, status: "unknown" };
}

function failed(text: string, call: number, ret: number): Op {
  return { ...unknown(text, call), status: "fail", ret };
}

function input(text: string, key: string): RedisStringInput {
  const [f, value] = text.split(" ");
  return { key, f, ...(value === undefined ? {} : { value }) } as RedisStringInput;
}

function verdict(history: readonly Op[], options?: LinearizabilityOptions): string {
  return checkLinearizability(history, model, options).verdict;
}

describe("verdicts", () => {
  test("nothing happened: that is linearizable", () => {
    expect(checkLinearizability([], model)).toEqual({
      verdict: "ok",
      witness: [],
      steps: 0,
      configurations: 0,
    });
  });

  test("one operation is judged by the first state", () => {
    expect(verdict([op("get", null, 1, 2)])).toBe("ok");
    expect(verdict([op("get", "v", 1, 2)])).toBe("illegal");
  });

  test("a read may see a write that overlaps it, or not, but not one before that", () => {
    const writes = [op("set a", "OK", 1, 2), op("set b", "OK", 3, 6)];
    for (const [seen, expected] of [
      ["a", "ok"],
      ["b", "ok"],
      [null, "illegal"],
    ] as const) {
      expect(verdict([...writes, op("get", seen, 4, 5)]), String(seen)).toBe(expected);
    }
  });

  test("once a read has seen a write, no later read sees the state before", () => {
    const history = [op("set a", "OK", 1, 10), op("get", "a", 2, 3), op("get", null, 4, 5)];
    expect(verdict(history)).toBe("illegal");
  });

  test("operations that share a moment are concurrent: no clock says which was first", () => {
    expect(verdict([op("set a", "OK", 1, 5), op("get", null, 5, 6)])).toBe("ok");
    expect(verdict([op("set a", "OK", 1, 5), op("get", null, 6, 6)])).toBe("illegal");
    expect(verdict([op("set a", "OK", 5, 5), op("get", null, 5, 5), op("get", "a", 5, 5)])).toBe("ok");
  });

  test("an unknown outcome takes effect at once, late or never, whenever its client gave up", () => {
    for (const ret of [null, 2]) {
      const write = unknown("set a", 1, ret);
      expect(verdict([write, op("get", null, 3, 4), op("get", "a", 50, 51)])).toBe("ok");
      expect(verdict([write, op("get", "a", 3, 4), op("get", "a", 50, 51)])).toBe("ok");
      expect(verdict([write, op("get", null, 3, 4), op("get", null, 50, 51)])).toBe("ok");
      expect(verdict([write, op("get", "a", 3, 4), op("get", null, 50, 51)])).toBe("illegal");
    }
    expect(verdict([op("get", "a", 1, 2), unknown("set a", 3)])).toBe("illegal");
  });

  test("an unknown outcome takes effect once", () => {
    expect(verdict([unknown("incr", 1), op("get", "1", 2, 3)])).toBe("ok");
    expect(verdict([unknown("incr", 1), op("get", "2", 2, 3)])).toBe("illegal");
    expect(verdict([unknown("incr", 1), unknown("incr", 1), op("get", "2", 2, 3)])).toBe("ok");
  });

  test("what failed did not happen, and a failed read says nothing", () => {
    expect(verdict([failed("set a", 1, 2), op("get", "a", 3, 4)])).toBe("illegal");
    expect(verdict([failed("set a", 1, 2), op("get", null, 3, 4)])).toBe("ok");
    expect(verdict([failed("get", 1, 2), unknown("get", 1, 2)])).toBe("ok");
  });

  test("keys are judged one by one, and the witness joins them in an order that time allows", () => {
    const history = [
      op("get", "b", 5, 6, "l"),
      op("set a", "OK", 1, 9, "k"),
      op("set b", "OK", 2, 4, "l"),
      op("get", "a", 3, 3, "k"),
    ];
    const result = checkLinearizability(history, model);
    expect(result).toMatchObject({ verdict: "ok", witness: [1, 2, 3, 0] });
    expect(verdict([...history, op("get", "a", 10, 11, "l")])).toBe("illegal");
  });
});

describe("the budget", () => {
  const letters = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));

  test("twenty unknown outcomes in any order are too much for it, which is said, and nothing wrong", () => {
    const appends = letters.map((letter) => unknown(`append ${letter}`, 1));
    for (const seen of ["zz", letters.toReversed().join("")]) {
      const result = checkLinearizability([...appends, op("get", seen, 2, 3)], model, { maxSteps: 20_000 });
      expect(result).toMatchObject({ verdict: "undecided", partitions: ["k"] });
      expect(result.steps).toBeLessThan(21_000);
    }
  });

  test("long states are counted by their length, so that memory ends the search too", () => {
    const appends = letters.map((letter) => unknown(`append ${letter.repeat(10_000)}`, 1));
    const options = { maxMemoryBytes: 10_000_000, maxSteps: 10_000 };
    const result = checkLinearizability([...appends, op("get", "zz", 2, 3)], model, options);
    expect(result.verdict).toBe("undecided");
    expect(result.configurations).toBeLessThan(200);
  });

  test("twenty unknown outcomes that do the same, or overwrite each other, are no trouble", () => {
    const limits = { maxSteps: 2000 };
    const incrs = letters.map(() => unknown("incr", 1));
    expect(verdict([...incrs, op("get", "20", 2, 3)], limits)).toBe("ok");
    expect(verdict([...incrs, op("get", "21", 2, 3)], limits)).toBe("illegal");
    const sets = letters.map((letter) => unknown(`set ${letter}`, 1));
    expect(verdict([...sets, op("get", "c", 2, 3), op("get", "b", 4, 5)], limits)).toBe("ok");
    expect(verdict([...sets, op("get", "c", 2, 3), op("get", "z", 4, 5)], limits)).toBe("illegal");
  });

  test("another key that is illegal is found though the first is undecided", () => {
    const appends = letters.map((letter) => unknown(`append ${letter}`, 1));
    const history = [...appends, op("get", "zz", 2, 3), op("get", "v", 4, 5, "other")];
    expect(verdict(history, { maxSteps: 1000 })).toBe("illegal");
  });

  test("the same arguments give the same result", () => {
    const history = letters.flatMap((letter, i) => [
      unknown(`append ${letter}`, i),
      op("get", letter, i, i + 40),
    ]);
    const options = { maxSteps: 3000 };
    const first = checkLinearizability(history, model, options);
    expect(checkLinearizability(history, model, options)).toEqual(first);
  });

  test.each([["maxSteps"], ["maxMemoryBytes"]])("%s must be an integer from 1", (field) => {
    for (const value of [0, 1.5, NaN, "9"]) {
      expect(() => checkLinearizability([], model, { [field]: value })).toThrow(`options.${field}`);
    }
  });

  test("an option that does not exist is refused", () => {
    const misspelt = { maxStep: 5 } as LinearizabilityOptions;
    expect(() => checkLinearizability([], model, misspelt)).toThrow("options.maxStep");
  });
});

describe("long histories", () => {
  /** Five clients take turns, each call overlapping the next four; the effect is in the order of the calls. */
  function overlapping(count: number): Op[] {
    return Array.from({ length: count }, (_, i) => {
      const write = i - (i % 3);
      const [text, output] = i % 3 === 0 ? [`set v${i}`, "OK"] : ["get", `v${write}`];
      return { ...op(text, output, i * 10, i * 10 + 49), client: i % 5 };
    });
  }

  test("take a few steps for each operation, whatever their length", () => {
    for (const count of [1000, 10_000]) {
      const result = checkLinearizability(overlapping(count), model);
      expect(result.verdict).toBe("ok");
      expect(result.steps / count).toBeLessThan(10);
    }
  });

  test("a stale read at the end of one is found, and explained in a handful of operations", () => {
    const history = [...overlapping(3000), op("get", "v2901", 40_000, 40_001)];
    const result = checkLinearizability(history, model);
    if (result.verdict !== "illegal") throw new Error(result.verdict);
    expect(result.part.operations.length).toBeLessThan(8);
    expect(result.part.operations.find(({ role }) => role === "culprit")?.index).toBe(3000);
  });
});
