import { describe, expect, test } from "vitest";
import { nodeIo } from "../io/store-io.js";
import type { Journal } from "../journal/journal.js";
import type { JournalRecord } from "../journal/record.js";
import type { RocksDatabase, RocksWriteBatch } from "../native/rocksdb.js";
import type { MarkerFile } from "../opening/marker-file.js";
import { WriteLane } from "./write-lane.js";

/** A step that ends when the test says so. */
interface Step {
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** A lane whose writes to the journal and to the database wait for the test. */
class Bench {
  readonly batches: Step[] = [];
  readonly appends: (Step & { readonly numbers: readonly number[]; readonly durable: number })[] = [];
  /** All that came to the journal. */
  readonly records: JournalRecord[] = [];
  /** The values that are in the batches, as they are now. */
  readonly values: Uint8Array[] = [];
  readonly flushes: Step[] = [];
  readonly retired: number[] = [];
  /** What the marker says. */
  readonly marked: number[] = [];
  /** While the marker is written. */
  onMark: () => Promise<void> = async () => {};
  /** What each write was told, in order. */
  readonly told: string[] = [];
  readonly lane: WriteLane;

  constructor({ journalBytes = 1_000_000 } = {}) {
    const step = <S extends object>(steps: (Step & S)[], about: S): Promise<void> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      steps.push({ end: resolve, fail: reject, ...about });
      return promise;
    };
    const batch: Partial<RocksWriteBatch> = {
      tryPut: (_key, value) => void this.values.push(value),
      destroy: () => {},
      flush: () => step(this.batches, {}),
    };
    const database: Partial<RocksDatabase> = {
      write: () => batch as RocksWriteBatch,
      flush: () => step(this.flushes, {}),
      getProperty: async () => "0",
    };
    const journal: Partial<Journal> = {
      append: async (records: readonly JournalRecord[], durable: number) => {
        this.records.push(...records);
        await step(this.appends, { numbers: records.map(({ number }) => number), durable });
        return records.reduce((sum, { size }) => sum + size, 0);
      },
      retire: async (upto: number) => void this.retired.push(upto),
    };
    const marker: Partial<MarkerFile> = {
      write: async (durable) => {
        this.marked.push(durable);
        await this.onMark();
      },
      sync: async () => {},
    };
    this.lane = new WriteLane({
      database: database as RocksDatabase,
      journal: journal as Journal,
      marker: marker as MarkerFile,
      io: nodeIo,
      number: 4,
      journalBytes,
      stallMs: 60_000,
    });
  }

  write(name: string, { bytes = 1, isAwaited = true, isDurable = true } = {}): void {
    const tell =
      (what: string) =>
      (error: Error | null): void =>
        void this.told.push(`${name} ${error === null ? what : `not ${what}`}`);
    this.lane.enqueue({
      verb: "append",
      bytes,
      fill: (batch) => batch.tryPut(Uint8Array.of(1), new Uint8Array(bytes).fill(name.charCodeAt(0))),
      onWritten: tell("written"),
      onDurable: isDurable ? tell("durable") : null,
      isAwaited,
    });
  }

  /** Ends when nothing moves any more without the test. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}

/** A lane that has written so much that tables are being made. */
async function makingTables(): Promise<Bench> {
  const bench = new Bench({ journalBytes: 10 });
  bench.write("a");
  await bench.rest();
  bench.appends[0]?.end();
  await bench.rest();
  bench.batches[0]?.end();
  await bench.rest();
  return bench;
}

describe("WriteLane", () => {
  test("says that a write is durable when the journal has it and the marker says so, and that it can be read when the database has it", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    expect(bench.appends).toMatchObject([{ numbers: [5], durable: 4 }]);
    expect(bench.told).toEqual([]);
    bench.appends[0]?.end();
    await bench.rest();
    expect(bench.marked).toEqual([5]);
    expect(bench.told).toEqual(["a durable"]);
    bench.batches[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a durable", "a written"]);
  });

  test("makes one record of what comes in one turn, and one write of the records that wait: group commit", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.write("b");
    bench.write("c");
    await bench.rest();
    bench.write("d");
    await bench.rest();
    expect(bench.appends).toHaveLength(1);
    bench.appends[0]?.end();
    await bench.rest();
    expect(bench.appends[1]).toMatchObject({ numbers: [6, 7], durable: 5 });
    bench.appends[1]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a durable", "b durable", "c durable", "d durable"]);
    expect(bench.lane.metrics().batches).toBe(3);
  });

  test("what nobody asks to be durable waits for what is to be, unless it is much", async () => {
    const bench = new Bench();
    bench.write("a", { isDurable: false });
    await bench.rest();
    bench.batches[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a written"]);
    expect(bench.appends).toEqual([]);
    bench.write("b");
    await bench.rest();
    expect(bench.appends).toMatchObject([{ numbers: [5, 6] }]);
    bench.appends[0]?.end();
    await bench.rest();
    bench.write("c", { bytes: 1_048_576, isDurable: false });
    await bench.rest();
    expect(bench.appends[1]).toMatchObject({ numbers: [7], durable: 6 });
  });

  test("has the database make tables once much was written, and then lets it go from the journal", async () => {
    const bench = new Bench({ journalBytes: 1000 });
    for (const [at, name] of ["a", "b"].entries()) {
      bench.write(name, { bytes: 600 });
      await bench.rest();
      bench.appends[at]?.end();
      await bench.rest();
      bench.batches[at]?.end();
      await bench.rest();
      expect(bench.flushes).toHaveLength(at);
    }
    bench.write("c");
    await bench.rest();
    bench.batches[2]?.end();
    await bench.rest();
    expect(bench.retired).toEqual([]);
    bench.flushes[0]?.end();
    await bench.rest();
    // What was written when the tables were begun, and nothing that came since.
    expect(bench.retired).toEqual([6]);
  });

  test("a write to the journal that fails fails what it was for, and what waits: each once", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.write("b");
    await bench.rest();
    bench.write("c");
    bench.appends[0]?.fail(new Error("the disk is on fire"));
    await bench.rest();
    // The batch of a ends after all.
    bench.batches[0]?.end();
    await bench.rest();
    expect(bench.told.toSorted((x, y) => x.localeCompare(y))).toEqual([
      "a not durable",
      "a written",
      "b not durable",
      "b not written",
      "c not durable",
      "c not written",
    ]);
    expect(bench.appends).toHaveLength(1);
    expect(bench.marked).toEqual([]);
    expect(() => bench.write("d")).toThrow("an earlier write failed: the disk is on fire");
    await bench.lane.close();
  });

  test("a batch that fails during a write to the journal fails what that was for too: after the first failure nothing is promised", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.batches[0]?.fail(new Error("no room"));
    await bench.rest();
    bench.appends[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a not written", "a not durable"]);
    expect(bench.marked).toEqual([]);
    await bench.lane.close();
  });

  test("what fails while the marker is written fails what that was for: nobody is told twice", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.onMark = async () => {
      bench.batches[0]?.fail(new Error("no room"));
      await bench.rest();
    };
    bench.appends[0]?.end();
    await bench.rest();
    await bench.rest();
    expect(bench.told).toEqual(["a not written", "a not durable"]);
    await bench.lane.close();
  });

  test("closes when nothing is under way any more, also when something fails meanwhile: descriptors may be others' then", async () => {
    const bench = new Bench();
    let isClosed = false;
    const closed = bench.lane.close().finally(() => (isClosed = true));
    closed.catch(() => {});
    await bench.rest();
    bench.batches[0]?.fail(new Error("no room"));
    await bench.rest();
    expect(isClosed).toBe(false);
    bench.appends[0]?.end();
    await expect(closed).rejects.toThrow("no room");
  });

  test("a write that comes while it closes is not under way when it is closed", async () => {
    const bench = new Bench();
    const closed = bench.lane.close();
    await bench.rest();
    bench.write("late");
    await bench.rest();
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    bench.batches[0]?.end();
    bench.appends[0]?.end();
    await bench.rest();
    expect(isClosed).toBe(false);
    bench.appends[1]?.end();
    bench.batches[1]?.end();
    await closed;
    expect(bench.marked).toEqual([5, 6]);
  });

  test("says how much waits for the journal, whatever the database has", async () => {
    const bench = new Bench();
    bench.write("a", { bytes: 1000 });
    await bench.rest();
    bench.write("b", { bytes: 1000 });
    await bench.rest();
    for (const at of [0, 1]) {
      bench.batches[at]?.end();
      await bench.rest();
    }
    expect(bench.lane.queuedBytes).toBeGreaterThan(2000);
    bench.appends[0]?.end();
    await bench.rest();
    expect(bench.lane.queuedBytes).toBeGreaterThan(1000);
    expect(bench.lane.queuedBytes).toBeLessThan(2000);
    bench.appends[1]?.end();
    await bench.rest();
    expect(bench.lane.queuedBytes).toBe(0);
  });

  describe("the memory of a record", () => {
    const isFree = (record: JournalRecord | undefined): boolean => {
      try {
        return record?.operations === undefined;
      } catch {
        return true;
      }
    };

    test("is used again once the journal and the database have it, whichever is first", async () => {
      for (const isJournalFirst of [true, false]) {
        const bench = new Bench();
        bench.write("a", { bytes: 100 });
        await bench.rest();
        const [append] = bench.appends;
        const [batch] = bench.batches;
        if (isJournalFirst) append?.end();
        else batch?.end();
        await bench.rest();
        expect(isFree(bench.records[0])).toBe(false);
        // Whatever comes meanwhile stands elsewhere.
        bench.write("b", { bytes: 100 });
        await bench.rest();
        expect(bench.values[0]).toEqual(new Uint8Array(100).fill(97));
        expect(bench.records[0]?.operations.at(-1)).toBe(97);
        if (isJournalFirst) batch?.end();
        else append?.end();
        await bench.rest();
        expect(isFree(bench.records[0])).toBe(true);
      }
    });

    test.each([
      ["the journal fails, and the database has it", "append", "before"],
      ["the journal fails, and the database has it later", "append", "after"],
      ["the database fails, and the journal has it", "batch", "before"],
      ["the database fails, and the journal has it later", "batch", "after"],
    ])("is nobody's any more where %s: who failed may still be reading", async (_, failing, other) => {
      const bench = new Bench();
      bench.write("a", { bytes: 100 });
      await bench.rest();
      const [append] = bench.appends;
      const [batch] = bench.batches;
      const succeed = async (): Promise<void> => {
        (failing === "append" ? batch : append)?.end();
        await bench.rest();
      };
      if (other === "before") await succeed();
      (failing === "append" ? append : batch)?.fail(new Error("no"));
      await bench.rest();
      if (other === "after") await succeed();
      expect(bench.records.map(isFree)).toEqual([false]);
      expect(bench.values[0]).toEqual(new Uint8Array(100).fill(97));
    });

    test("is bounded: however much was written, little is kept", async () => {
      const bench = new Bench({ journalBytes: 1_000_000_000 });
      const buffers = new Set<ArrayBufferLike>();
      for (let round = 0; round < 3; round++) {
        for (let at = 0; at < 20; at++) {
          bench.write("a", { bytes: 700_000 });
          await bench.rest();
        }
        for (let at = 0; at < 3; at++) {
          bench.appends.at(-1)?.end();
          bench.batches.at(-1)?.end();
          await bench.rest();
        }
        for (const value of bench.values) buffers.add(value.buffer);
      }
      expect(bench.records).toHaveLength(60);
      expect(bench.records.map(isFree)).not.toContain(false);
      const kept = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(kept).toBeLessThan(6 * 1_048_576);
    });
  });

  test("tables that cannot be made poison it", async () => {
    const bench = await makingTables();
    bench.flushes[0]?.fail(new Error("no room"));
    await bench.rest();
    expect(() => bench.write("b")).toThrow("an earlier write failed: no room");
    expect(bench.retired).toEqual([]);
    await bench.lane.close();
  });

  test("who waits for tables to be made is told when they cannot be", async () => {
    const bench = await makingTables();
    expect(bench.flushes).toHaveLength(1);
    bench.write("b");
    await bench.rest();
    bench.appends[1]?.end();
    await bench.rest();
    bench.write("c");
    await bench.rest();
    expect(bench.appends).toHaveLength(2);
    bench.flushes[0]?.fail(new Error("no room"));
    await bench.rest();
    expect(bench.told).toContain("c not durable");
    expect(bench.appends).toHaveLength(2);
    bench.batches[1]?.end();
    await bench.lane.close();
  });

  test("a write that cannot be written down fails, and all that come with it", async () => {
    const bench = new Bench();
    bench.write("a");
    const fill = (): void => {
      throw new Error("no such entry");
    };
    await expect(bench.lane.durable("append", 0, fill)).rejects.toThrow("no such entry");
    expect(bench.told).toEqual(["a not written", "a not durable"]);
    expect(bench.appends).toEqual([]);
    await bench.lane.close();
  });
});
