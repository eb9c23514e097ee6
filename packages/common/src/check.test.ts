import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkInteger, checkNodeId } from "./check.js";
import { InvalidValueError } from "./errors.js";

describe("checkInteger", () => {
  test("gives back every integer from the minimum to 2^53 - 1", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(checkInteger("x", Math.max(a, b), Math.min(a, b))).toBe(Math.max(a, b));
      }),
    );
    expect(checkInteger("x", 0, 0)).toBe(0);
    expect(checkInteger("x", Number.MAX_SAFE_INTEGER, 1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    ["below the minimum", 0],
    ["past 2^53 - 1, where neighbours look alike", Number.MAX_SAFE_INTEGER + 1],
    ["with a fraction", 1.5],
    ["not a number", Number.NaN],
    ["infinite", Number.POSITIVE_INFINITY],
    ["a numeric string", "7"],
    ["a bigint", 7n],
    ["missing", undefined],
    ["null", null],
  ])("refuses a value that is %s", (_, value) => {
    expect(() => checkInteger("index", value, 1)).toThrow(InvalidValueError);
  });

  test("names the field, shows the value and says what it should have been", () => {
    expect(() => checkInteger("config.maxEntries", -3, 1)).toThrow(
      "config.maxEntries is -3, but it must be an integer from 1 to 2^53 - 1",
    );
  });
});

describe("checkNodeId", () => {
  test("accepts 1 and 2^53 - 1", () => {
    expect(checkNodeId("nodeId", 1)).toBe(1);
    expect(checkNodeId("nodeId", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("refuses 0, which older systems use for nobody", () => {
    expect(() => checkNodeId("nodeId", 0)).toThrow("nodeId is 0, but it must be an integer from 1");
  });
});
