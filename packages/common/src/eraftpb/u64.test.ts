import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyInteger } from "../../test/arbitraries.js";
import { InvalidValueError } from "../errors.js";
import { fromU64 } from "./u64.js";

describe("fromU64", () => {
  test("gives the same number for a number and for a bigint", () => {
    fc.assert(
      fc.property(anyInteger, (value) => {
        expect(fromU64("x", value, 0)).toBe(value);
        expect(fromU64("x", BigInt(value), 0)).toBe(value);
      }),
    );
  });

  test("refuses every u64 past 2^53 - 1 instead of rounding it", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
        expect(() => fromU64("x", value, 0)).toThrow(InvalidValueError);
      }),
    );
    expect(() => fromU64("entry.index", 2n ** 53n + 1n, 1)).toThrow("entry.index is 9007199254740993n");
  });

  test.each([-1n, -(2n ** 53n), -(2n ** 64n), 0n, 0, -1, 1.5, undefined])(
    "refuses %s where 1 is the least",
    (value) => {
      expect(() => fromU64("x", value, 1)).toThrow(InvalidValueError);
    },
  );
});
