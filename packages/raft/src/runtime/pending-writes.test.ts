import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PendingWrites } from "./pending-writes.js";

/** Whoever waits: a thing of its own, told apart by identity. */
interface Named {
  readonly name: string;
}

function writes(...names: string[]): Named[] {
  return names.map((name) => ({ name }));
}

describe("pending writes", () => {
  test("are found by the index of their entry, each once", () => {
    const pending = new PendingWrites<Named>();
    const [a, b] = writes("a", "b");
    pending.accept(7, [a, b] as Named[]);
    expect(pending.take(6)).toBeUndefined();
    expect(pending.take(7)).toBe(a);
    expect(pending.take(7)).toBeUndefined();
    expect(pending.take(8)).toBe(b);
    expect(pending.take(9)).toBeUndefined();
  });

  test("entries of nobody between them are nobody's", () => {
    const pending = new PendingWrites<Named>();
    const [a, b] = writes("a", "b") as [Named, Named];
    pending.accept(10, [a]);
    pending.accept(15, [b]);
    expect([10, 11, 14, 15].map((index) => pending.take(index))).toEqual([a, undefined, undefined, b]);
  });

  test("giving up those from an index on leaves the ones before it", () => {
    const pending = new PendingWrites<Named>();
    const all = writes("a", "b", "c", "d");
    pending.accept(3, all);
    expect(pending.takeSince(5)).toEqual(all.slice(2));
    expect(pending.takeSince(5)).toEqual([]);
    expect(pending.take(3)).toBe(all[0]);
    expect(pending.take(4)).toBe(all[1]);
    expect(pending.take(5)).toBeUndefined();
  });

  test("the ring grows while it is in use and wrapped around", () => {
    const pending = new PendingWrites<Named>();
    const early = writes(...Array.from({ length: 60 }, (_, i) => `early ${i}`));
    pending.accept(1, early);
    for (let index = 1; index <= 50; index++) pending.take(index);
    const late = writes(...Array.from({ length: 200 }, (_, i) => `late ${i}`));
    pending.accept(61, late);
    for (let i = 50; i < 60; i++) expect(pending.take(i + 1)).toBe(early[i]);
    for (let i = 0; i < 200; i++) expect(pending.take(61 + i)).toBe(late[i]);
  });

  test("indexes past 2^32 are told apart", () => {
    const pending = new PendingWrites<Named>();
    const all = writes("a", "b", "c");
    const first = 2 ** 32 - 1;
    pending.accept(first, all);
    expect([0, 1, 2].map((i) => pending.take(first + i))).toEqual(all);
  });

  test("behaves like a map by index, whatever happens in whatever order (property)", () => {
    const operation = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant("accept" as const),
          gap: fc.nat(40),
          count: fc.integer({ min: 1, max: 90 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant("apply" as const), count: fc.integer({ min: 1, max: 60 }) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant("abandon" as const), back: fc.nat(50) }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 33 }),
        fc.array(operation, { maxLength: 30 }),
        (start, operations) => {
          const pending = new PendingWrites<Named>();
          const model = new Map<number, Named>();
          let next = start;
          let applied = start - 1;
          let serial = 0;
          for (const op of operations) {
            if (op.type === "accept") {
              const firstIndex = next + op.gap;
              const batch = writes(...Array.from({ length: op.count }, () => `w${serial++}`));
              pending.accept(firstIndex, batch);
              batch.forEach((write, i) => model.set(firstIndex + i, write));
              next = firstIndex + op.count;
            } else if (op.type === "apply") {
              for (let i = 0; i < op.count && applied + 1 < next; i++) {
                applied += 1;
                expect(pending.take(applied)).toBe(model.get(applied));
                model.delete(applied);
              }
            } else {
              const since = Math.max(applied + 1, next - op.back);
              const expected = [...model].filter(([index]) => index >= since).sort(([a], [b]) => a - b);
              expect(pending.takeSince(since)).toEqual(expected.map(([, write]) => write));
              for (const [index] of expected) model.delete(index);
              // The log was cut there: the next entries take the same indexes again.
              next = Math.max(since, applied + 1);
            }
          }
          expect(pending.takeSince(0)).toEqual(
            [...model].sort(([a], [b]) => a - b).map(([, write]) => write),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
