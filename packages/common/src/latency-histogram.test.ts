import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatencyHistogram } from "./latency-histogram.js";

describe("LatencyHistogram", () => {
  test("without latencies everything is 0", () => {
    const histogram = new LatencyHistogram();
    expect([histogram.count, histogram.maxMs, histogram.percentileMs(0.99)]).toEqual([0, 0, 0]);
  });

  test("a percentile is the latency that this share does not exceed", () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 100; ms += 1) histogram.record(ms);
    expect(histogram.percentileMs(0.5)).toBeGreaterThanOrEqual(50);
    expect(histogram.percentileMs(0.5)).toBeLessThan(51);
    expect(histogram.percentileMs(0.99)).toBeGreaterThanOrEqual(99);
    expect(histogram.percentileMs(0.99)).toBeLessThanOrEqual(100);
    expect(histogram.percentileMs(1)).toBe(100);
  });

  test("percentiles are at most 1/64 or a microsecond above the true ones, and never below", () => {
    const latency = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, share) => {
          const histogram = new LatencyHistogram();
          for (const ms of all) histogram.record(ms);
          const sorted = [...all].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(share * all.length)) - 1] as number;
          const told = histogram.percentileMs(share);
          expect(told).toBeGreaterThanOrEqual(exact);
          expect(told).toBeLessThanOrEqual(Math.max(exact * (1 + 1 / 64), exact + 0.001));
          expect(histogram.maxMs).toBe(sorted.at(-1));
          expect(histogram.count).toBe(all.length);
        },
      ),
    );
  });

  test("a latency past every bucket is still the maximum", () => {
    const histogram = new LatencyHistogram();
    histogram.record(1e15);
    expect(histogram.maxMs).toBe(1e15);
    expect(histogram.count).toBe(1);
    expect(histogram.percentileMs(0.5)).toBeLessThanOrEqual(1e15);
  });
});
