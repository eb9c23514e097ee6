import { describe, expect, test } from "vitest";
import { ILLEGAL, UNKNOWN_OUTPUT } from "../model.js";
import type { Model } from "../model.js";
import { counterModel } from "./counter.js";
import { INCREMENT_OVERFLOWS, NOT_AN_INTEGER, redisStringModel } from "./redis-string.js";
import { registerModel } from "./register.js";
import { setModel } from "./set.js";

interface Case {
  readonly name: string;
  readonly model: Model<unknown, unknown, unknown>;
  readonly states: readonly unknown[];
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
}

const cases = [
  {
    name: "Redis strings",
    model: redisStringModel(),
    states: [null, "", "1", "a", "9223372036854775807"],
    inputs: [
      ...["get", "getdel", "del", "exists", "incr"].map((f) => ({ key: "k", f })),
      ...["set", "setnx", "setxx", "setget", "append"].flatMap((f) =>
        ["", "1", "a"].map((value) => ({ key: "k", f, value })),
      ),
    ],
    outputs: ["OK", null, "", "0", "1", "2", "a", "9223372036854775807", NOT_AN_INTEGER, INCREMENT_OVERFLOWS],
  },
  {
    name: "registers",
    model: registerModel(),
    states: [null, 0, -0, 1, "1", true],
    inputs: [
      { f: "read" },
      ...[null, 0, -0, 1, "1", true].map((value) => ({ f: "write", value })),
      ...[null, 1, "1"].flatMap((expected) => [0, -0, "1"].map((value) => ({ f: "cas", expected, value }))),
    ],
    outputs: [null, 0, -0, 1, "1", true, false],
  },
  {
    name: "counters",
    model: counterModel(),
    states: [0, 1, -5],
    inputs: [{ f: "read" }, ...["add", "addAndGet"].flatMap((f) => [1, 0, -5].map((by) => ({ f, by })))],
    outputs: [null, 0, 1, 2, -4, -5, -10],
  },
  {
    name: "sets",
    model: setModel(),
    states: [new Set(), new Set(["x"]), new Set(["y", "x"])],
    inputs: [
      { f: "read" },
      ...["add", "remove", "has"].flatMap((f) => ["x", "y"].map((element) => ({ f, element }))),
    ],
    outputs: [true, false, [], ["x"], ["x", "y"], ["x", "x"]],
  },
] as unknown as readonly Case[];

/** The state after each operation that is legal from `state`. */
function after({ model }: Case, state: unknown, input: unknown, output: unknown): string | null {
  const next = model.step(state, input, output);
  return next === ILLEGAL ? null : model.stateKey(next);
}

describe.each(cases)("what the model of $name says of itself is true", (one) => {
  const { model, states, inputs } = one;
  const outputs = [...one.outputs, UNKNOWN_OUTPUT];

  test("what only reads leaves every state as it is", () => {
    for (const input of inputs) {
      for (const output of outputs.filter((output) => model.effect?.(input, output) === "reads")) {
        for (const state of states) {
          expect([null, model.stateKey(state)]).toContain(after(one, state, input, output));
        }
      }
    }
  });

  test("what overwrites leaves the same state behind from all of them", () => {
    for (const input of inputs) {
      for (const output of outputs.filter((output) => model.effect?.(input, output) === "overwrites")) {
        const left = new Set(states.map((state) => after(one, state, input, output)));
        left.delete(null);
        expect(left.size).toBeLessThanOrEqual(1);
      }
    }
  });

  test("inputs with the same key do the same, and a command that has no answer yet always can have one", () => {
    for (const a of inputs) {
      for (const b of inputs.filter((b) => model.inputKey?.(a) === model.inputKey?.(b))) {
        for (const state of states) {
          expect(after(one, state, a, UNKNOWN_OUTPUT)).not.toBeNull();
          expect(after(one, state, a, UNKNOWN_OUTPUT)).toBe(after(one, state, b, UNKNOWN_OUTPUT));
        }
      }
    }
  });

  test("some operations are known to read, and some to change something", () => {
    const effects = inputs.map((input) => model.effect?.(input, UNKNOWN_OUTPUT));
    expect(effects).toContain("reads");
    expect(new Set(effects).size).toBeGreaterThan(1);
  });
});

test("a set read back may be in any order, but with every element once", () => {
  const model = setModel();
  const state = new Set(["x", "y"]);
  expect(model.step(state, { f: "read" }, ["y", "x"])).toEqual(state);
  for (const wrong of [["x"], ["x", "x"], ["x", "y", "y"], ["x", "y", "z"], ["x", "z"], []]) {
    expect(model.step(state, { f: "read" }, wrong)).toBe(ILLEGAL);
  }
});
