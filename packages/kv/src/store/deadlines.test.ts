import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deadlines } from "./deadlines.js";

type Pair = [deadline: number, hash: number];
const compare = (a: Pair, b: Pair): number => a[0] - b[0] || a[1] - b[1];

function drain(deadlines: Deadlines): Pair[] {
  const pairs: Pair[] = [];
  while (deadlines.size > 0) {
    const pair: Pair = [deadlines.first, deadlines.firstHash];
    pairs.push(pair);
    deadlines.remove(...pair);
  }
  return pairs;
}

describe("deadlines", () => {
  test("come in their order, whatever order they were added and removed in; equal ones as often as they were added", () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(pair, fc.boolean()), { maxLength: 300 }), (steps) => {
        const deadlines = new Deadlines();
        const model: Pair[] = [];
        for (const [[deadline, hash], removes] of steps) {
          const at = model.findIndex((one) => compare(one, [deadline, hash]) === 0);
          if (removes && at >= 0) {
            model.splice(at, 1);
            deadlines.remove(deadline, hash);
          } else {
            model.push([deadline, hash]);
            deadlines.add(deadline, hash);
          }
          expect(deadlines.first).toBe(Math.min(...model.map(([first]) => first)));
        }
        for (const clock of [0, 1, 15, 30, 31]) {
          expect(deadlines.countUpto(clock)).toBe(model.filter(([first]) => first <= clock).length);
        }
        expect(drain(deadlines)).toEqual(model.sort(compare));
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["rising", (n: number) => n],
    ["falling", (n: number) => 20_000 - n],
    ["scattered", (n: number) => (n * 7919) % 20_011],
    ["all the same", () => 5],
  ])("are right in many blocks, %s", (_, deadlineOf) => {
    const deadlines = new Deadlines();
    const model: Pair[] = Array.from({ length: 10_000 }, (_, n) => [deadlineOf(n) + 1, (n % 3) + 1]);
    for (const pair of model) deadlines.add(...pair);
    const gone = model.filter((_, n) => n % 3 === 0);
    for (const pair of gone) deadlines.remove(...pair);
    const left = model.filter((_, n) => n % 3 !== 0).sort(compare);
    for (const clock of [5, 6, 7, 6000, 19_999]) {
      expect(deadlines.countUpto(clock)).toBe(left.filter(([first]) => first <= clock).length);
    }
    expect(drain(deadlines)).toEqual(left);
    expect(deadlines.first).toBe(Infinity);
  });
});
