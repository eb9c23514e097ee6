import { expect, test } from "vitest";
import { showTimes, timesOf } from "./times.js";

test("times come to the least, the median, the p99 and the most", () => {
  const times = timesOf(Array.from({ length: 200 }, (_, i) => 200 - i));
  expect(times).toEqual({ count: 200, minMs: 1, medianMs: 101, p99Ms: 198, maxMs: 200 });
  expect(showTimes(times)).toBe("1 / 101 / 198 / 200");
});

test("of few, the p99 is the most; of none there is nothing", () => {
  expect(timesOf([3.6, 1.2])).toEqual({ count: 2, minMs: 1, medianMs: 4, p99Ms: 4, maxMs: 4 });
  expect(timesOf([])).toBeNull();
  expect(showTimes(null)).toBe("-");
});
