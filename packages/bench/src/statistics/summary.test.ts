import { describe, expect, test } from "vitest";
import { median, summarize } from "./summary.js";

describe("rounds are summarized", () => {
  test("by the middle one, whatever their order, and how far apart they lie", () => {
    expect(summarize([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30, spread: 1 });
  });

  test("by the mean of the two in the middle when their number is even", () => {
    expect(median([1, 100, 3, 2])).toBe(2.5);
  });

  test("one outlier moves the median no further than to its neighbour", () => {
    expect(median([10, 11, 12, 13, 1_000_000])).toBe(12);
  });

  test("one round has no spread, and rounds of nothing have none either", () => {
    expect(summarize([7])).toEqual({ median: 7, min: 7, max: 7, spread: 0 });
    expect(summarize([0, 0]).spread).toBe(0);
  });

  test("numbers are ordered as numbers, and the rounds stay as they were", () => {
    const values = [9, 10, 100];
    expect(median(values)).toBe(10);
    expect(values).toEqual([9, 10, 100]);
  });

  test("no rounds at all are refused", () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});
