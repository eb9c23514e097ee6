import type { LogEntry } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blank, logId, membershipEntry, voters } from "../../test/support/values.js";
import { splitEntries } from "./split-entries.js";

/** Entries from index 1 on whose commands are their own sizes. */
function sized(...sizes: number[]): LogEntry<number>[] {
  return sizes.map((data, i) => ({ logId: logId(1, i + 1), payload: { type: "normal", data } }));
}

const sizeOf = (data: unknown): number => data as number;

/** Which entries share a portion, and what the portion counts. */
function portions(sizes: number[], maxBytes: number): [number[], number][] {
  return splitEntries(sized(...sizes), maxBytes, sizeOf).map(({ entries, bytes }) => [
    entries.map((entry) => entry.logId.index),
    bytes,
  ]);
}

describe("entries on their way", () => {
  test("stay together while they fit, to the byte: each counts 128 bytes more than its command", () => {
    const entries = sized(72, 72);
    const [only, ...others] = splitEntries(entries, 400, sizeOf);
    expect(others).toEqual([]);
    expect(only).toEqual({ entries, bytes: 400 });
    // Nothing is copied where nothing is cut.
    expect(only?.entries).toBe(entries);
    expect(portions([72, 72], 399)).toEqual([
      [[1], 200],
      [[2], 200],
    ]);
  });

  test("one that is too large by itself goes alone, between its neighbours", () => {
    expect(portions([10, 1000, 10, 10], 300)).toEqual([
      [[1], 138],
      [[2], 1128],
      [[3, 4], 276],
    ]);
  });

  test("entries without a command count too, and are not measured by the application", () => {
    const entries = [blank(1, 1), membershipEntry(1, 2, voters(1)), blank(1, 3)];
    const cut = splitEntries(entries, 256, () => expect.unreachable());
    expect(cut.map(({ bytes }) => bytes)).toEqual([256, 128]);
  });

  test("none make one empty portion", () => {
    expect(splitEntries([], 1, sizeOf)).toEqual([{ entries: [], bytes: 0 }]);
  });

  test("come out as they went in, no portion too large but of one, none that could hold the next (property)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 1500 }),
        (sizes, max) => {
          const entries = sized(...sizes);
          const cut = splitEntries(entries, max, sizeOf);
          expect(cut.flatMap((portion) => portion.entries)).toEqual(entries);
          for (const [i, portion] of cut.entries()) {
            expect(portion.bytes).toBe(
              portion.entries.reduce(
                (sum, { payload }) => sum + 128 + sizeOf((payload as { data: number }).data),
                0,
              ),
            );
            expect(portion.bytes <= max || portion.entries.length === 1).toBe(true);
            const next = cut[i + 1]?.entries[0]?.payload as { data: number } | undefined;
            if (next !== undefined) expect(portion.bytes + 128 + next.data).toBeGreaterThan(max);
          }
        },
      ),
    );
  });
});
