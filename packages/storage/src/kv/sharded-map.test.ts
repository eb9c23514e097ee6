import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ShardedMap, precedes } from "./sharded-map.js";

function content(map: ShardedMap): [string, string][] {
  return [...map.orderedKeys()].sort().map((key) => [key, Buffer.from(map.get(key) ?? []).toString("hex")]);
}

test("does what a Map does, and forks never see each other's writes", () => {
  const key = fc.integer({ min: 0, max: 40 }).map((number) => `k${number}`);
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant("set" as const),
        key,
        value: fc.uint8Array({ maxLength: 12 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("fork" as const) }) },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), step), { maxLength: 80 }), (steps) => {
      const pairs = [{ map: new ShardedMap(), model: new Map<string, string>() }];
      for (const [which, next] of steps) {
        const { map, model } = pairs[which % pairs.length] as (typeof pairs)[number];
        if (next.type === "set") {
          map.set(next.key, next.value);
          model.set(next.key, Buffer.from(next.value).toString("hex"));
        } else if (next.type === "delete") {
          expect(map.delete(next.key)).toBe(model.delete(next.key));
          expect(map.has(next.key)).toBe(false);
        } else if (pairs.length < 4) {
          pairs.push({ map: map.fork(), model: new Map(model) });
        }
      }
      for (const { map, model } of pairs) {
        expect(content(map)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
        expect(map.size).toBe(model.size);
      }
    }),
    { numRuns: 300 },
  );
});

test("keys come in one order, whatever order they went in", () => {
  const keys = fc.uniqueArray(fc.string(), { maxLength: 600 });
  const shuffled = keys.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      const [a, b] = [one, other].map((list) => {
        const map = new ShardedMap();
        for (const key of list) map.set(key, new Uint8Array(0));
        return [...map.orderedKeys()];
      }) as [string[], string[]];
      expect(a).toEqual(b);
      expect([...a].sort()).toEqual([...one].sort());
      for (let i = 1; i < a.length; i++) {
        expect(precedes(a[i - 1] as string, a[i] as string)).toBe(true);
        expect(precedes(a[i] as string, a[i - 1] as string)).toBe(false);
      }
    }),
  );
});
