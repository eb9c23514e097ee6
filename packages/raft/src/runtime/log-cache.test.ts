import type { LogEntry } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blank, blanks } from "../../test/support/values.js";
import { LogCache } from "./log-cache.js";

type Entry = LogEntry<unknown, unknown>;

describe("the log cache", () => {
  test("gives a batch back as it came, without a copy", () => {
    const cache = new LogCache(10);
    const batch = blanks(1, 4, 6);
    cache.append(blanks(1, 1, 3));
    cache.append(batch);
    expect(cache.slice(4, 6)).toBe(batch);
  });

  test("collects a range over several batches", () => {
    const cache = new LogCache(10);
    cache.append(blanks(1, 1, 3));
    cache.append(blanks(1, 4, 4));
    cache.append(blanks(2, 5, 8));
    expect(cache.slice(2, 6)).toEqual([...blanks(1, 2, 4), ...blanks(2, 5, 6)]);
  });

  test("says when part of a range is not there, at either end", () => {
    const cache = new LogCache(10);
    expect(cache.slice(1, 1)).toBeUndefined();
    cache.append(blanks(1, 5, 8));
    expect(cache.slice(4, 6)).toBeUndefined();
    expect(cache.slice(7, 9)).toBeUndefined();
    expect(cache.slice(9, 9)).toBeUndefined();
  });

  test("drops the oldest batches past its bound, but never the newest", () => {
    const cache = new LogCache(4);
    cache.append(blanks(1, 1, 2));
    cache.append(blanks(1, 3, 5));
    expect(cache.slice(1, 2)).toBeUndefined();
    expect(cache.slice(3, 5)).toHaveLength(3);
    cache.append(blanks(1, 6, 15));
    expect(cache.slice(3, 5)).toBeUndefined();
    expect(cache.slice(6, 15)).toHaveLength(10);
  });

  test("lets go of whole batches that nobody needs, and goes on after them", () => {
    const cache = new LogCache(10);
    cache.append(blanks(1, 1, 2));
    cache.append(blanks(1, 3, 5));
    cache.release(4);
    expect(cache.slice(1, 2)).toBeUndefined();
    expect(cache.slice(3, 5)).toHaveLength(3);
    cache.release(5);
    expect(cache.slice(3, 5)).toBeUndefined();
    cache.append(blanks(1, 6, 7));
    cache.truncate(7);
    cache.append(blanks(2, 7, 12));
    cache.append(blanks(2, 13, 16));
    // Its bound counts what is there, not what was.
    expect(cache.slice(6, 16)).toBeUndefined();
    expect(cache.slice(7, 16)).toHaveLength(10);
  });

  test("a truncated entry is gone, and what replaces it is found", () => {
    const cache = new LogCache(10);
    cache.append(blanks(1, 1, 4));
    cache.truncate(3);
    expect(cache.slice(3, 3)).toBeUndefined();
    cache.append([blank(2, 3)]);
    expect(cache.slice(1, 3)).toEqual([...blanks(1, 1, 2), blank(2, 3)]);
  });

  test("what was truncated takes no room any more: as much as fits the bound is kept", () => {
    const cache = new LogCache(6);
    cache.append(blanks(1, 1, 2));
    cache.append(blanks(1, 3, 6));
    cache.truncate(4);
    cache.append(blanks(2, 4, 6));
    expect(cache.slice(1, 6)).toEqual([...blanks(1, 1, 3), ...blanks(2, 4, 6)]);
    cache.truncate(3);
    cache.append(blanks(3, 3, 6));
    expect(cache.slice(1, 6)).toHaveLength(6);
  });

  test("entries that do not follow on the last start it anew", () => {
    const cache = new LogCache(10);
    cache.append(blanks(1, 1, 3));
    cache.append(blanks(1, 9, 10));
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
              cache.append(batch);
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
              cache.append([blank(term, next)]);
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
