import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockList } from "./block-list.js";

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("insert" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("push" as const, "unshift" as const), at: fc.constant(0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("remove" as const, "set" as const),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("fork" as const), at: fc.constant(0) }) },
);

describe("a list in blocks", () => {
  test("is what an array would be, and so are its forks", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.nat(700), (steps, length) => {
        let list = new BlockList<number>();
        let model: number[] = [];
        const others: [BlockList<number>, number[]][] = [];
        for (let n = 0; n < length; n++) {
          list.push(n);
          model.push(n);
        }
        let next = 1000;
        for (const { type, at } of steps) {
          const index = Math.floor(at * model.length);
          next += 1;
          if (type === "insert") {
            list.insert(index, next);
            model.splice(index, 0, next);
          } else if (type === "push") {
            list.push(next);
            model.push(next);
          } else if (type === "unshift") {
            list.insert(0, next);
            model.unshift(next);
          } else if (type === "fork") {
            const fork = list.fork();
            // Now the one goes on, now the other.
            others.push([next % 2 === 0 ? list : fork, [...model]]);
            if (next % 2 === 0) list = fork;
            model = [...model];
          } else if (model.length > 0) {
            if (type === "remove") expect(list.remove(index)).toBe(model.splice(index, 1)[0]);
            else {
              list.set(index, next);
              model[index] = next;
            }
          }
        }
        expect([...list.from(0)]).toEqual(model);
        expect(list.size).toBe(model.length);
        const middle = model.length >> 1;
        expect(list.slice(middle, 10)).toEqual(model.slice(middle, middle + 10));
        if (model.length > 0) expect(list.get(middle)).toBe(model[middle]);
        for (const [other, expected] of others) expect([...other.from(0)]).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test("that is sorted says how many items are before", () => {
    const list = new BlockList<number>();
    for (let n = 0; n < 2000; n++) list.push(2 * n);
    for (const value of [-1, 0, 1, 511, 512, 513, 3998, 3999, 5000]) {
      expect(list.rank((item) => item < value)).toBe(Math.max(0, Math.min(2000, Math.ceil(value / 2))));
    }
  });
});
