import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut } from "./timeline-layout.js";
import type { Span } from "./timeline-layout.js";

const spans: fc.Arbitrary<Span[]> = fc.array(
  fc
    .record({
      lane: fc.constantFrom(1, 2, "x"),
      from: fc.nat(20),
      length: fc.option(fc.nat(8)),
      minWidth: fc.integer({ min: 1, max: 90 }),
    })
    .map(({ lane, from, length, minWidth }) => ({
      lane,
      from,
      to: length === null ? null : from + length,
      minWidth,
    })),
  { minLength: 1, maxLength: 12 },
);

describe("where the bars of a picture lie", () => {
  test("what precedes is to the left, what overlaps in time overlaps, and words fit", () => {
    fc.assert(
      fc.property(spans, (given) => {
        const { bars, width } = layOut(given);
        for (const [i, bar] of bars.entries()) {
          const a = given[i] as Span;
          expect(bar.width).toBeGreaterThanOrEqual(a.minWidth);
          expect(bar.x + bar.width).toBeLessThanOrEqual(width);
          for (const [j, other] of bars.entries()) {
            const b = given[j] as Span;
            expect(bar.x + bar.width < other.x).toBe(a.to !== null && a.to < b.from);
          }
        }
      }),
    );
  });

  test("bars never lie on each other, and a lane has its rows to itself", () => {
    fc.assert(
      fc.property(spans, (given) => {
        const { bars, lanes, rows } = layOut(given);
        for (const [i, bar] of bars.entries()) {
          expect(bar.row).toBeLessThan(rows);
          expect(lanes.findLast(({ row }) => row <= bar.row)?.lane).toBe(given[i]?.lane);
          for (const other of bars.slice(i + 1)) {
            if (other.row !== bar.row) continue;
            expect(bar.x + bar.width <= other.x || other.x + other.width <= bar.x).toBe(true);
          }
        }
      }),
    );
  });
});
