import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackedValues } from "./packed-values.js";

type Model = Map<string, Uint8Array>;

function expectEqual(values: PackedValues, model: Model): void {
  expect([...values.keys()].sort()).toEqual([...model.keys()].sort());
  for (const [key, value] of model) expect(values.get(key)).toEqual(value);
  expect(values.size).toBe(model.size);
}

function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

describe("values", () => {
  const key = fc.integer({ min: 0, max: 30 }).map((number) => `k${number}`);
  const length = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 4100 }),
    fc.constantFrom(0, 1, 4095, 4096, 4097, 20_000),
  );
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant("set" as const), key, length, byte: fc.nat(255) }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("copy" as const) }) },
  );

  test("does what a Map does, and copies never see what is written to each other", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), step), { maxLength: 150 }), (steps) => {
        const lines: { values: PackedValues; model: Model }[] = [
          { values: new PackedValues(), model: new Map() },
        ];
        const finished: typeof lines = [];
        for (const [which, next] of steps) {
          const line = lines[which % lines.length] as (typeof lines)[number];
          const { values, model } = line;
          if (next.type === "set") {
            const value = filled(next.length, next.byte);
            values.set(next.key, value);
            model.set(next.key, value.slice());
            // It was copied.
            value.fill(77);
          } else if (next.type === "delete") {
            expect(values.delete(next.key)).toBe(model.delete(next.key));
            expect(values.has(next.key)).toBe(false);
            expect(values.get(next.key)).toBeUndefined();
          } else {
            finished.push({ values, model });
            line.values = values.copy();
            line.model = new Map(model);
            if (lines.length < 3) lines.push({ values: values.copy(), model: new Map(model) });
          }
        }
        for (const { values, model } of [...finished, ...lines]) expectEqual(values, model);
      }),
      { numRuns: 300 },
    );
  });

  test("a value that was given as a Buffer is copied too, also a large one", () => {
    const values = new PackedValues();
    for (const size of [3, 10_000]) {
      const value = Buffer.alloc(size, 1);
      values.set("key", value);
      value.fill(2);
      expect(values.get("key")).toEqual(filled(size, 1));
    }
  });
});

describe("memory", () => {
  const CHUNK = 65_536;

  test("what is replaced by values of much the same length takes none", () => {
    const values = new PackedValues();
    for (let key = 0; key < 5000; key++) values.set(`k${key}`, filled(100, 0));
    const { capacity } = values;
    expect(capacity).toBeLessThan(5000 * 104 + 2 * CHUNK);
    for (let round = 1; round < 20; round++) {
      for (let key = 0; key < 5000; key++) values.set(`k${key}`, filled(100 - round, round));
    }
    expect(values.capacity).toBe(capacity);
    for (let key = 0; key < 5000; key++) expect(values.get(`k${key}`)).toEqual(filled(81, 19));
  });

  test("however lengths change and keys go, it is bounded by what is left", () => {
    const values = new PackedValues();
    let live = 0;
    for (let at = 0; at < 60_000; at++) {
      const name = `k${(at * 7919) % 700}`;
      live -= values.get(name)?.length ?? 0;
      if (at % 5 === 0) values.delete(name);
      else {
        const value = filled((at * 104_729) % 3000, at & 0xff);
        values.set(name, value);
        live += value.length;
      }
      // Twice for what is dead, twice for the room that a shorter value was given.
      expect(values.capacity).toBeLessThan(4 * (live + 8 * values.size) + 3 * CHUNK);
    }
  });

  test("a long value that becomes a short one gives its room up", () => {
    const values = new PackedValues();
    for (let key = 0; key < 1000; key++) values.set(`k${key}`, filled(4096, 1));
    for (let key = 0; key < 1000; key++) values.set(`k${key}`, filled(10, 2));
    expect(values.capacity).toBeLessThan(3 * CHUNK);
    for (let key = 0; key < 1000; key++) expect(values.get(`k${key}`)).toEqual(filled(10, 2));
  });

  test("what has few values takes little, and what has none any more takes next to none", () => {
    const values = new PackedValues();
    values.set("key", filled(10, 1));
    expect(values.capacity).toBeLessThan(1024);
    for (let key = 0; key < 5000; key++) values.set(`k${key}`, filled(100, 0));
    for (let key = 0; key < 5000; key++) values.delete(`k${key}`);
    expect(values.capacity).toBeLessThan(3 * CHUNK);
    expect(values.get("key")).toEqual(filled(10, 1));
  });
});
