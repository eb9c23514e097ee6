import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyLogId } from "../test/arbitraries.js";
import { ZERO_LOG_ID, compareLogIds, equalLogIds, formatLogId } from "./log-id.js";

describe("log ids are totally ordered", () => {
  test("two log ids compare as equal exactly when they name the same entry", () => {
    fc.assert(
      fc.property(anyLogId, anyLogId, (a, b) => {
        expect(compareLogIds(a, b) === 0).toBe(equalLogIds(a, b));
        expect(equalLogIds(a, { ...a })).toBe(true);
      }),
    );
    expect(equalLogIds({ term: 1, index: 2 }, { term: 1, index: 3 })).toBe(false);
    expect(equalLogIds({ term: 1, index: 2 }, { term: 2, index: 2 })).toBe(false);
  });

  test("swapping two log ids reverses their order", () => {
    fc.assert(
      fc.property(anyLogId, anyLogId, (a, b) => {
        expect(Math.sign(compareLogIds(a, b)) + Math.sign(compareLogIds(b, a))).toBe(0);
      }),
    );
  });

  test("the order is transitive", () => {
    fc.assert(
      fc.property(anyLogId, anyLogId, anyLogId, (a, b, c) => {
        const [x, y, z] = [a, b, c].sort(compareLogIds) as [typeof a, typeof a, typeof a];
        expect(compareLogIds(x, y)).toBeLessThanOrEqual(0);
        expect(compareLogIds(y, z)).toBeLessThanOrEqual(0);
        expect(compareLogIds(x, z)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("a later term wins over a longer log (section 5.4.1)", () => {
    expect(compareLogIds({ term: 2, index: 1 }, { term: 1, index: 100 })).toBeGreaterThan(0);
  });

  test("within one term the longer log wins (section 5.4.1)", () => {
    expect(compareLogIds({ term: 2, index: 7 }, { term: 2, index: 8 })).toBeLessThan(0);
  });

  test("no log id comes before that of the empty log", () => {
    fc.assert(fc.property(anyLogId, (id) => compareLogIds(ZERO_LOG_ID, id) <= 0));
  });
});

test("the log id of the empty log cannot be changed by accident", () => {
  expect(Object.isFrozen(ZERO_LOG_ID)).toBe(true);
});

test("a log id is written as term and index", () => {
  expect(formatLogId({ term: 3, index: 42 })).toBe("3-42");
});
