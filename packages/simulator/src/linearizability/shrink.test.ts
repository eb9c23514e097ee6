import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shrink } from "./shrink.js";

describe("leaving out what is not needed", () => {
  test("keeps exactly what is needed, in its order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), fc.uniqueArray(fc.nat(200)), (items, wanted) => {
        const needed = items.filter((item) => wanted.includes(item));
        expect(shrink(items, (kept) => needed.every((item) => kept.includes(item)))).toEqual(needed);
      }),
    );
  });

  test("stops when it is told to, with something that holds", () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    for (let allowed = 0; allowed < 30; allowed += 1) {
      let asked = 0;
      const kept = shrink(
        items,
        (some) => {
          asked += 1;
          return some.includes(3) && some.includes(70);
        },
        () => asked < allowed,
      );
      expect(asked).toBe(allowed);
      expect(kept).toEqual(expect.arrayContaining([3, 70]));
    }
  });
});
