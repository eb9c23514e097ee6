import { SeededRandom } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { ConfigurationSet, StateNumbers } from "./configuration-set.js";

describe("a set of configurations", () => {
  test("knows what was added, and nothing else, however many there are", () => {
    const random = new SeededRandom(1);
    const set = new ConfigurationSet();
    const known = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) {
      // Few values and lengths, so that many rows come again and many are the beginnings of others.
      const row = Uint32Array.from({ length: random.u32() % 7 }, () => (random.u32() % 5) * 0x4000_0001);
      const text = row.join(" ");
      expect(set.add(row, row.length)).toBe(!known.has(text));
      known.add(text);
    }
    expect(set.size).toBe(known.size);
    expect(set.size).toBeGreaterThan(5000);
  });

  test("only the given length of a row counts, and a row may be longer than all before", () => {
    const set = new ConfigurationSet();
    expect(set.add(Uint32Array.of(1, 2, 3), 2)).toBe(true);
    expect(set.add(Uint32Array.of(1, 2, 9), 2)).toBe(false);
    expect(set.add(new Uint32Array(5000).fill(7), 5000)).toBe(true);
    expect(set.add(new Uint32Array(5000).fill(7), 5000)).toBe(false);
    expect(set.bytes).toBeGreaterThan(20_000);
  });
});

test("equal states have one number, and long ones count for more memory", () => {
  const states = new StateNumbers();
  expect(["a", "b", "a", ""].map((key) => states.numberOf(key))).toEqual([0, 1, 0, 2]);
  const before = states.bytes;
  states.numberOf("x".repeat(1000));
  expect(states.bytes - before).toBeGreaterThan(2000);
});
