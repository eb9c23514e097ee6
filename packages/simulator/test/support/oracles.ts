import { counterModel, registerModel, redisStringModel, setModel } from "../../src/index.js";
import type {
  CounterInput,
  CounterOutput,
  Model,
  RedisStringInput,
  RedisStringReply,
  RegisterInput,
  RegisterOutput,
  SetInput,
  SetOutput,
} from "../../src/index.js";
import type { SeededRandom } from "@seshat/raft/testing";

/**
 * What a model says, once more and as plainly as can be: one mutable object that is told what to do. Equality is that of
 * JSON, so that outputs and states can be anything.
 */
export interface Oracle<I, O> {
  readonly name: string;
  readonly model: Model<unknown, I, O>;
  /** A fresh system, to be asked any number of times. */
  start(): (input: I) => O;
  randomInput(random: SeededRandom, key: string): I;
  /** Any output, right or wrong. */
  randomOutput(random: SeededRandom, input: I): O;
}

export function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.u32() % items.length] as T;
}

const TEXTS = ["a", "b", "7"] as const;

const redis: Oracle<RedisStringInput, RedisStringReply> = {
  name: "Redis strings",
  model: redisStringModel(),
  start() {
    const store = new Map<string, string>();
    return (input) => {
      const { key, f } = input;
      const old = store.get(key) ?? null;
      if (f === "get") return old;
      if (f === "exists") return store.has(key) ? "1" : "0";
      if (f === "del") return store.delete(key) ? "1" : "0";
      if (f === "getdel") {
        store.delete(key);
        return old;
      }
      if (!("value" in input)) {
        const number = old === null ? 0 : Number(old);
        if (!Number.isInteger(number)) return "ERR value is not an integer or out of range";
        store.set(key, `${number + 1}`);
        return `${number + 1}`;
      }
      if (f === "append") {
        store.set(key, (old ?? "") + input.value);
        return `${(store.get(key) ?? "").length}`;
      }
      if ((f === "setnx" && old !== null) || (f === "setxx" && old === null)) return null;
      store.set(key, input.value);
      return f === "setget" ? old : "OK";
    };
  },
  randomInput(random, key) {
    const f = pick(random, [
      "get",
      "get",
      "getdel",
      "del",
      "exists",
      "incr",
      "set",
      "setnx",
      "setxx",
      "setget",
      "append",
    ]);
    const takesValue = ["set", "setnx", "setxx", "setget", "append"].includes(f);
    return (takesValue ? { key, f, value: pick(random, TEXTS) } : { key, f }) as RedisStringInput;
  },
  randomOutput: (random) =>
    pick(random, [
      "OK",
      null,
      "0",
      "1",
      "2",
      "7",
      "8",
      "a",
      "b",
      "ERR value is not an integer or out of range",
    ]),
};

const register: Oracle<RegisterInput, RegisterOutput> = {
  name: "registers",
  model: registerModel(),
  start() {
    const values: Record<string, RegisterOutput> = {};
    return (input) => {
      const key = input.key ?? "";
      const old = values[key] ?? null;
      if (input.f === "read") return old;
      if (input.f === "cas" && old !== input.expected) return false;
      values[key] = input.value;
      return input.f === "cas" ? true : null;
    };
  },
  randomInput(random, key) {
    const f = pick(random, ["read", "write", "cas"] as const);
    const value = pick(random, [1, 2, "1"]);
    if (f === "read") return { key, f };
    return f === "write" ? { key, f, value } : { key, f, expected: pick(random, [null, 1, 2, "1"]), value };
  },
  randomOutput: (random, { f }) =>
    f === "write" ? null : pick<RegisterOutput>(random, f === "read" ? [null, 1, 2, "1"] : [true, false]),
};

const counter: Oracle<CounterInput, CounterOutput> = {
  name: "counters",
  model: counterModel(),
  start() {
    const sums: Record<string, number> = {};
    return (input) => {
      const key = input.key ?? "";
      sums[key] = (sums[key] ?? 0) + (input.f === "read" ? 0 : input.by);
      return input.f === "add" ? null : sums[key];
    };
  },
  randomInput(random, key) {
    const f = pick(random, ["read", "add", "addAndGet"] as const);
    return f === "read" ? { key, f } : { key, f, by: pick(random, [1, 2, -1]) };
  },
  randomOutput: (random, { f }) => (f === "add" ? null : pick(random, [0, 1, 2, 3, -1])),
};

const set: Oracle<SetInput, SetOutput> = {
  name: "sets",
  model: setModel(),
  start() {
    const sets: Record<string, string[]> = {};
    return (input) => {
      const key = input.key ?? "";
      const elements = (sets[key] ??= []);
      if (input.f === "read") return [...elements];
      const at = elements.indexOf(input.element);
      if (input.f === "add" && at === -1) elements.push(input.element);
      if (input.f === "remove" && at !== -1) elements.splice(at, 1);
      elements.sort();
      return input.f === "add" ? at === -1 : at !== -1;
    };
  },
  randomInput(random, key) {
    const f = pick(random, ["add", "add", "remove", "has", "read"] as const);
    return f === "read" ? { key, f } : { key, f, element: pick(random, ["x", "y"]) };
  },
  randomOutput: (random, { f }) =>
    f === "read" ? pick(random, [[], ["x"], ["y"], ["x", "y"]]) : pick(random, [true, false]),
};

export const ORACLES: readonly Oracle<unknown, unknown>[] = [
  redis,
  register,
  counter,
  set,
] as unknown as Oracle<unknown, unknown>[];
