import type { LogEntry } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blank, blanks } from "../../test/support/values.js";
import { LogCache } from "./log-cache.js";

type Entry = LogEntry<unknown, unknown>;

let written = 0;

/** Entries that storage takes at once. */
function put(cache: LogCache, entries: readonly Entry[]): void {
  written += 1;
  cache.append(entries, written);
  cache.readable(written);
}

describe("the log cache", () => {
  test("gives a batch back as it came, without a copy", () => {
    const cache = new LogCache(10);
    const batch = blanks(1, 4, 6);
    put(cache, blanks(1, 1, 3));
    put(cache, batch);
    expect(cache.slice(4, 6)).toBe(batch);
  });

  test("collects a range over several batches", () => {
    const cache = new LogCache(10);
    put(cache, blanks(1, 1, 3));
    put(cache, blanks(1, 4, 4));
    put(cache, blanks(2, 5, 8));
    expect(cache.slice(2, 6)).toEqual([...blanks(1, 2, 4), ...blanks(2, 5, 6)]);
  });

  test("says when part of a range is not there, at either end", () => {
    const cache = new LogCache(10);
    expect(cache.slice(1, 1)).toBeUndefined();
    put(cache, blanks(1, 5, 8));
    expect(cache.slice(4, 6)).toBeUndefined();
    expect(cache.slice(7, 9)).toBeUndefined();
    expect(cache.slice(9, 9)).toBeUndefined();
  });

  test("drops the oldest batches past its bound, but never the newest", () => {
    const cache = new LogCache(4);
    put(cache, blanks(1, 1, 2));
    put(cache, blanks(1, 3, 5));
    expect(cache.slice(1, 2)).toBeUndefined();
    expect(cache.slice(3, 5)).toHaveLength(3);
    put(cache, blanks(1, 6, 15));
    expect(cache.slice(3, 5)).toBeUndefined();
    expect(cache.slice(6, 15)).toHaveLength(10);
  });

  test("lets go of whole batches that nobody needs, and goes on after them", () => {
    const cache = new LogCache(10);
    put(cache, blanks(1, 1, 2));
    put(cache, blanks(1, 3, 5));
    cache.release(4);
    expect(cache.slice(1, 2)).toBeUndefined();
    expect(cache.slice(3, 5)).toHaveLength(3);
    cache.release(5);
    expect(cache.slice(3, 5)).toBeUndefined();
    put(cache, blanks(1, 6, 7));
    cache.truncate(7);
    put(cache, blanks(2, 7, 12));
    put(cache, blanks(2, 13, 16));
    // Its bound counts what is there, not what was.
    expect(cache.slice(6, 16)).toBeUndefined();
    expect(cache.slice(7, 16)).toHaveLength(10);
  });

  test("a truncated entry is gone, and what replaces it is found", () => {
    const cache = new LogCache(10);
    put(cache, blanks(1, 1, 4));
    cache.truncate(3);
    expect(cache.slice(3, 3)).toBeUndefined();
    put(cache, [blank(2, 3)]);
    expect(cache.slice(1, 3)).toEqual([...blanks(1, 1, 2), blank(2, 3)]);
  });

  test("what was truncated takes no room any more: as much as fits the bound is kept", () => {
    const cache = new LogCache(6);
    put(cache, blanks(1, 1, 2));
    put(cache, blanks(1, 3, 6));
    cache.truncate(4);
    put(cache, blanks(2, 4, 6));
    expect(cache.slice(1, 6)).toEqual([...blanks(1, 1, 3), ...blanks(2, 4, 6)]);
    cache.truncate(3);
    put(cache, blanks(3, 3, 6));
    expect(cache.slice(1, 6)).toHaveLength(6);
  });

  test("keeps what storage has not taken yet, and no more than its bound once it has", () => {
    const cache = new LogCache(2);
    cache.append(blanks(1, 1, 2), 1);
    cache.append(blanks(1, 3, 5), 2);
    cache.append(blanks(1, 6, 6), 3);
    expect(cache.slice(1, 6)).toHaveLength(6);
    expect(cache.readableUpto(6)).toBe(0);
    cache.readable(1);
    expect(cache.slice(1, 2)).toBeUndefined();
    expect(cache.slice(3, 6)).toHaveLength(4);
    expect(cache.readableUpto(6)).toBe(2);
    cache.readable(3);
    expect(cache.slice(3, 5)).toBeUndefined();
    expect(cache.slice(6, 6)).toHaveLength(1);
    expect([cache.readableUpto(4), cache.readableUpto(6)]).toEqual([4, 6]);
  });

  test("does not take the end of an append for that of one which replaced it", () => {
    const cache = new LogCache(2);
    cache.append(blanks(1, 1, 4), 1);
    cache.truncate(3);
    cache.append(blanks(2, 3, 5), 3);
    cache.append(blanks(2, 6, 7), 4);
    cache.readable(1);
    expect(cache.readableUpto(7)).toBe(2);
    expect(cache.slice(3, 7)).toHaveLength(5);
  });

  test("entries that do not follow on the last start it anew", () => {
    const cache = new LogCache(10);
    put(cache, blanks(1, 1, 3));
    put(cache, blanks(1, 9, 10));
    expect(cache.slice(1, 3)).toBeUndefined();
    expect(cache.slice(9, 10)).toHaveLength(2);
  });

  test("behaves like the tail of an array, whatever happens in whatever order (property)", () => {
    const operation = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ type: fc.constant("append" as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant("truncate" as const), back: fc.nat(8) }) },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant("jump" as const), by: fc.integer({ min: 1, max: 5 }) }),
      },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(operation, { maxLength: 250 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(9)), { maxLength: 20 }),
        (maxEntries, operations, ranges) => {
          const cache = new LogCache(maxEntries);
          // The model: the log itself, and which part of it the cache may still hold.
          const log = new Map<number, Entry>();
          let next = 1;
          let term = 1;
          const check = (since: number, upto: number): number => {
            const found = cache.slice(since, upto);
            if (found === undefined) return 0;
            expect(found).toEqual(Array.from({ length: upto - since + 1 }, (_, i) => log.get(since + i)));
            return found.length;
          };
          for (const op of operations) {
            if (op.type === "append") {
              const batch = blanks(term, next, next + op.count - 1);
              for (const entry of batch) log.set(entry.logId.index, entry);
              next += op.count;
              put(cache, batch);
              // The newest batch is always there, and with it whatever fits the bound as whole batches.
              expect(check(next - op.count, next - 1)).toBe(op.count);
              expect(cache.slice(next - maxEntries - 5, next - 1)).toBeUndefined();
            } else if (op.type === "truncate") {
              const since = Math.max(1, next - op.back);
              for (let index = since; index < next; index++) log.delete(index);
              cache.truncate(since);
              next = since;
              term += 1;
            } else {
              log.clear();
              next += op.by;
              put(cache, [blank(term, next)]);
              log.set(next, blank(term, next));
              next += 1;
            }
            expect(cache.slice(next, next)).toBeUndefined();
            for (const [start, length] of ranges) {
              const since = 1 + (start % next);
              check(since, since + length);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
