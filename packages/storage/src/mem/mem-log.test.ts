import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { StorageError, ZERO_LOG_ID } from "@seshat/common";
import type { LogId } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logId } from "../../test/helpers.js";
import { MemLog } from "./mem-log.js";

interface Item {
  readonly logId: LogId;
  readonly payload: object;
}

function items(term: number, since: number, count: number): Item[] {
  return Array.from({ length: count }, (_, at) => ({ logId: { term, index: since + at }, payload: {} }));
}

function logOf(count: number): MemLog<Item> {
  const log = new MemLog<Item>();
  log.append(items(1, 1, count));
  return log;
}

describe("a log in memory", () => {
  test("a new log is empty and begins at index 1", () => {
    const log = new MemLog<Item>();
    expect(log.lastLogId).toEqual(ZERO_LOG_ID);
    expect(log.lastPurgedLogId).toEqual(ZERO_LOG_ID);
    expect(log.length).toBe(0);
    expect(log.get(0)).toBeUndefined();
    expect(log.get(1)).toBeUndefined();
  });

  test("truncate removes the entry it names and all after it", () => {
    const log = logOf(1500);
    log.truncate(1100);
    expect(log.lastLogId).toEqual(logId(1, 1099));
    expect(log.get(1100)).toBeUndefined();
    expect(log.get(1500)).toBeUndefined();
    expect(log.read(1, 1099)).toHaveLength(1099);
  });

  test("truncate past the end changes nothing", () => {
    const log = logOf(3);
    log.truncate(4);
    expect(log.lastLogId).toEqual(logId(1, 3));
  });

  test("truncating down to the purged entry leaves an empty log that remembers it", () => {
    const log = logOf(10);
    log.purge(logId(1, 4));
    log.truncate(5);
    expect(log.length).toBe(0);
    expect(log.lastLogId).toEqual(logId(1, 4));
  });

  test("purge removes the entry it names, all before it, and remembers it", () => {
    const log = logOf(1500);
    log.purge(logId(1, 600));
    expect(log.lastPurgedLogId).toEqual(logId(1, 600));
    expect(log.get(600)).toBeUndefined();
    expect(log.get(1)).toBeUndefined();
    expect(log.read(601, 1500)[0]?.logId).toEqual(logId(1, 601));
  });

  test("a purge past the end empties the log, which goes on right after it", () => {
    const log = logOf(700);
    // Far enough that visiting every index in between would never end.
    const far = logId(3, 2 ** 50);
    log.purge(far);
    expect(log.length).toBe(0);
    expect(log.lastLogId).toEqual(far);
    expect(log.lastPurgedLogId).toEqual(far);
    expect(log.get(700)).toBeUndefined();
    log.append(items(3, 2 ** 50 + 1, 600));
    expect(log.read(2 ** 50 + 1, 2 ** 50 + 600)).toEqual(items(3, 2 ** 50 + 1, 600));
  });

  test.each([510, 511, 512, 513, 1022, 1023, 1024])(
    "whether it is purged or truncated at entry %d, beside the edge of a chunk, the rest is all there",
    (edge) => {
      const purged = logOf(1600);
      purged.purge(logId(1, edge));
      expect(purged.read(edge + 1, 1600).map((item) => item.logId.index)).toEqual(
        Array.from({ length: 1600 - edge }, (_, at) => edge + 1 + at),
      );
      const truncated = logOf(1600);
      truncated.truncate(edge);
      expect(truncated.read(1, edge - 1).map((item) => item.logId.index)).toEqual(
        Array.from({ length: edge - 1 }, (_, at) => 1 + at),
      );
    },
  );

  test("a purge at or below what was purged changes nothing", () => {
    const log = logOf(10);
    log.purge(logId(1, 6));
    log.purge(logId(1, 6));
    log.purge(logId(1, 2));
    expect(log.lastPurgedLogId).toEqual(logId(1, 6));
    expect(log.length).toBe(4);
  });

  test("what was purged or truncated can be collected as garbage, within a chunk that is still kept too", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const log = logOf(1600);
    const gone = [1, 512, 700, 1400, 1600].map((index) => new WeakRef(log.get(index) as Item));
    const kept = [701, 1024, 1399].map((index) => new WeakRef(log.get(index) as Item));
    log.purge(logId(1, 700));
    log.truncate(1400);
    // A weak reference lets go no earlier than in a later turn.
    await new Promise<void>((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(gone.map((reference) => reference.deref())).toEqual(gone.map(() => undefined));
    expect(kept.map((reference) => reference.deref()?.logId.index)).toEqual([701, 1024, 1399]);
    expect(log.length).toBe(699);
  });
});

describe("what breaks the contract is refused and changes nothing", () => {
  test.each([
    ["a hole before the entries", [...items(1, 12, 1)], /entry 1-12 after 1-10 leaves a hole/],
    [
      "a hole between the entries",
      [...items(1, 11, 1), ...items(1, 13, 1)],
      /entry 1-13 after 1-11 leaves a hole/,
    ],
    ["an overwritten entry", [...items(1, 10, 1)], /entry 1-10 after 1-10 overwrites the log/],
    ["a term that falls", [...items(0, 11, 1)], /entry 0-11 is of an older term than 1-10/],
    ["a term that is no number", [...items(Number.NaN, 11, 1)], /entry NaN-11 is of an older term/],
    ["an index that is no number", [...items(1, Number.NaN, 1)], /entry 1-NaN after 1-10/],
  ])("append refuses %s", (_, entries, message) => {
    const log = logOf(10);
    expect(() => log.append(entries)).toThrow(message);
    expect(() => log.append(entries)).toThrow(StorageError);
    expect(log.lastLogId).toEqual(logId(1, 10));
    expect(log.get(11)).toBeUndefined();
  });

  test("truncate refuses what was purged", () => {
    const log = logOf(10);
    log.purge(logId(1, 4));
    expect(() => log.truncate(4)).toThrow(
      "storage failed to truncate: it begins at entry 4, but the log holds entries 5 to 10 and was purged up to 4",
    );
    expect(() => new MemLog<Item>().truncate(0)).toThrow(StorageError);
    expect(log.length).toBe(6);
  });

  test("purge refuses a log id that is not the entry at its index", () => {
    const log = logOf(10);
    expect(() => log.purge(logId(2, 4))).toThrow("it ends at 2-4, but the log holds 1-4");
    expect(log.lastPurgedLogId).toEqual(ZERO_LOG_ID);
    expect(log.length).toBe(10);
  });

  test.each([
    [4, 6],
    [9, 11],
    [11, 11],
    [0, 5],
    [Number.NaN, 6],
  ])("reading %d to %d of a log of 5 to 10 is refused, for entries are missing", (since, upto) => {
    const log = logOf(10);
    log.purge(logId(1, 4));
    const read = (): unknown => log.read(since, upto);
    expect(read).toThrow(StorageError);
    expect(read).toThrow(`entries ${since} to ${upto} are asked for, but the log holds entries 5 to 10`);
  });

  test("an index that is no integer is refused by name", () => {
    const log = logOf(10);
    expect(() => log.truncate(1.5)).toThrow(/^since is 1.5/);
    expect(() => log.purge(logId(1, Number.NaN))).toThrow(/^upto.index is NaN/);
    expect(() => log.purge(logId(-1, 12))).toThrow(/^upto.term is -1/);
  });
});

test("a read of no entries is empty wherever it lies", () => {
  expect(logOf(3).read(4, 3)).toEqual([]);
  expect(logOf(3).read(9, 2)).toEqual([]);
});

test("a limited read returns the first entries of the range, and still wants all of it there", () => {
  const log = logOf(2000);
  expect(log.read(500, 2000, 100)).toEqual(log.read(500, 599));
  expect(() => log.read(500, 2001, 100)).toThrow(StorageError);
});

test("the log does what a plain array does, under any mixture of appends, truncations and purges", () => {
  const step = fc.oneof(
    fc.record({
      type: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 700 }),
      newTerm: fc.boolean(),
    }),
    fc.record({ type: fc.constant("truncate" as const), back: fc.integer({ min: 0, max: 900 }) }),
    fc.record({ type: fc.constant("purge" as const), ahead: fc.integer({ min: 0, max: 1500 }) }),
  );
  const begin = fc.constantFrom(0, 1, 510, 511, 512, 2 ** 32 - 3, 2 ** 40);
  fc.assert(
    fc.property(begin, fc.array(step, { maxLength: 25 }), (start, steps) => {
      const log = new MemLog<Item>();
      log.purge(logId(1, start));
      let model: Item[] = [];
      let purged = log.lastPurgedLogId;
      let term = 1;
      for (const next of steps) {
        const last: number = purged.index + model.length;
        if (next.type === "append") {
          if (next.newTerm) term += 1;
          const entries = items(term, last + 1, next.count);
          log.append(entries);
          model = [...model, ...entries];
        } else if (next.type === "truncate") {
          const since = Math.max(last + 1 - next.back, purged.index + 1);
          log.truncate(since);
          model = model.filter((item) => item.logId.index < since);
        } else {
          const index = purged.index + next.ahead;
          const upto = model.find((item) => item.logId.index === index)?.logId ?? logId(term, index);
          log.purge(upto);
          if (index > purged.index) purged = upto;
          model = model.filter((item) => item.logId.index > index);
        }
        const lastLogId: LogId = model.at(-1)?.logId ?? purged;
        expect(log.lastPurgedLogId).toEqual(purged);
        expect(log.lastLogId).toEqual(lastLogId);
        expect(log.length).toBe(model.length);
        expect(log.get(purged.index)).toBeUndefined();
        expect(log.get(lastLogId.index + 1)).toBeUndefined();
        const read = log.read(purged.index + 1, lastLogId.index);
        expect(read.length === model.length && read.every((item, at) => item === model[at])).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
});
