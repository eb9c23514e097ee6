import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check, checkEqual, checkFails } from "./check.js";
import { findDifference } from "./difference.js";

describe("the difference of two values", () => {
  test.each<[found: unknown, expected: unknown, difference: string | null]>([
    [1, 1, null],
    [Number.NaN, Number.NaN, null],
    [1, 2, " is 1, not 2"],
    [1, "1", ' is 1, not "1"'],
    [null, undefined, " is null, not undefined"],
    [null, {}, " is null, not {}"],
    [{}, [], " is {}, not []"],
    [{ a: { b: [1, 2] } }, { a: { b: [1, 3] } }, ".a.b[1] is 2, not 3"],
    [{ a: 1 }, {}, ".a is 1, not undefined"],
    [{ a: undefined }, {}, null],
    [[1], [1, 2], " has 1 items, not 2"],
    [new Map([[1, "a"]]), new Map([[1, "b"]]), '(1) is "a", not "b"'],
    [new Map([[1, "a"]]), new Map(), " has 1 too much"],
    [new Map(), new Map([[1, "a"]]), " lacks 1"],
    [new Map(), {}, " is {}, not {}"],
    [new Set([1]), new Set([1, 2]), " lacks 2"],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 3), " has byte 2 at 1, not 3"],
    [Uint8Array.of(1), Uint8Array.of(1, 2), " has 1 bytes, not 2"],
    [Uint8Array.of(1), [1], " is 1 bytes, not [1]"],
    [Buffer.of(1, 2), Uint8Array.of(1, 2), null],
    [1n, 2n, " is 1, not 2"],
  ])("is where they first differ (%#)", (found, expected, difference) => {
    expect(findDifference(found, expected)).toBe(difference);
  });

  test("is none between a value and its copy, and one between it and any other", () => {
    const value = fc.anything({ withMap: true, withSet: true, maxDepth: 3 });
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(findDifference(a, structuredClone(a))).toBeNull();
        // JSON tells -0 and 0 apart no more than this does.
        const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        expect(findDifference(a, b) === null).toBe(isSame);
      }),
    );
    fc.assert(
      fc.property(value, (one) => {
        expect(findDifference(one, one)).toBeNull();
      }),
    );
  });

  test("of long values not all is shown", () => {
    expect(findDifference("x".repeat(500), "")?.length).toBeLessThan(200);
  });
});

describe("a check", () => {
  test("says what it found", () => {
    expect(() => check(false, "the disk is red")).toThrow("the disk is red");
    expect(() => checkEqual("the vote", { term: 1 }, { term: 2 })).toThrow("the vote.term is 1, not 2");
  });

  test("of a call that must fail takes throws and rejections, and nothing else", async () => {
    const error = new Error("no");
    const thrower = (): never => {
      throw error;
    };
    expect(await checkFails("it", thrower)).toBe(error);
    expect(await checkFails("it", () => Promise.reject(error))).toBe(error);
    await expect(checkFails("it", () => {})).rejects.toThrow("it was accepted, and must be refused");
    await expect(checkFails("it", () => Promise.resolve(1))).rejects.toThrow(
      "it was accepted and gave number",
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((inner) => sorted(inner));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { fields: fields.map(([key, inner]) => [key, sorted(inner)]) };
}
