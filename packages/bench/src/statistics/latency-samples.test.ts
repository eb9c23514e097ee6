import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatencySamples } from "./latency-samples.js";

describe("percentiles of samples", () => {
  test("are those that a sorted list has at the nearest rank", () => {
    const samples = new LatencySamples();
    for (let us = 100; us >= 1; us -= 1) samples.record(us);
    expect(samples.percentilesUs([0.5, 0.99, 1, 0.001])).toEqual([50, 99, 100, 1]);
  });

  test("do not exceed the share of samples that they name, whatever these are", () => {
    const latency = fc.float({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 200 }),
        fc.float({ min: Math.fround(0.01), max: 1, noNaN: true }),
        (all, share) => {
          const samples = new LatencySamples(200);
          for (const us of all) samples.record(us);
          const [at = Number.NaN] = samples.percentilesUs([share]);
          expect(all.filter((us) => us <= at).length).toBeGreaterThanOrEqual(share * all.length - 1e-9);
          expect(all.filter((us) => us < at).length).toBeLessThan(share * all.length);
        },
      ),
    );
  });

  test("of no samples are no numbers", () => {
    expect(new LatencySamples().percentilesUs([0.5])).toEqual([Number.NaN]);
  });

  test("are of the newest samples when there are more than fit", () => {
    const samples = new LatencySamples(4);
    for (const us of [1000, 1000, 1, 2, 3, 4]) samples.record(us);
    expect(samples.percentilesUs([0.25, 1])).toEqual([1, 4]);
    expect(samples.count).toBe(6);
  });
});
