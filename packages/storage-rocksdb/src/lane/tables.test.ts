import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nodeIo } from "../io/store-io.js";
import { JOURNALED_KEY } from "../keys.js";
import type { RocksDatabase, RocksWriteBatch } from "../native/rocksdb.js";
import { Tables } from "./tables.js";

/** Tables whose batches end when the test says so. */
class Bench {
  /** The first byte of each key that a batch puts, and the last byte of the number that it tells. */
  readonly batches: {
    readonly keys: number[];
    number: number;
    end: () => void;
    fail: (error: Error) => void;
  }[] = [];
  readonly told: string[] = [];
  readonly failures: unknown[] = [];
  readonly tables: Tables;

  constructor() {
    const write = (): RocksWriteBatch => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const batch = { keys: [] as number[], number: 0, end: resolve, fail: reject };
      return {
        tryPut: (key, value) => {
          if (key === JOURNALED_KEY) batch.number = value.at(-1) as number;
          else batch.keys.push(key[0] as number);
        },
        tryDelete: () => {},
        tryDeleteRange: () => {},
        flush: () => {
          this.batches.push(batch);
          return promise;
        },
        destroy: () => {},
      };
    };
    const database: Partial<RocksDatabase> = {
      write,
      flush: async () => void this.told.push("flushed"),
      getProperty: async () => "0",
    };
    this.tables = new Tables({
      database: database as RocksDatabase,
      io: nodeIo,
      stallMs: 60_000,
      number: 4,
      onBatch: (bytes) => void this.told.push(`${bytes} bytes`),
      onFailure: (error) => {
        this.failures.push(error);
        this.tables.stop(error as Error);
      },
    });
  }

  add(number: number | null, { isUrgent = false, bytes = 1, key = number ?? 0 } = {}): void {
    const onWritten = (error: Error | null): void =>
      void this.told.push(`${key} ${error?.message ?? "written"}`);
    this.tables.add(
      { number, bytes, onWritten, fill: (batch) => batch.tryPut(Uint8Array.of(key), Uint8Array.of()) },
      isUrgent,
    );
  }
}

/** Ends when nothing moves any more without the test. */
const rest = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("Tables", () => {
  test("what nobody waits for goes together, a little later, in order, with the number of the last", async () => {
    const bench = new Bench();
    for (const number of [5, 6, 7]) bench.add(number);
    await vi.advanceTimersByTimeAsync(19);
    expect(bench.batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.batches).toMatchObject([{ keys: [5, 6, 7], number: 7 }]);
    expect(bench.told).toEqual([]);
    bench.batches[0]?.end();
    await rest();
    expect(bench.told).toEqual(["3 bytes", "5 written", "6 written", "7 written"]);
  });

  test("goes at once when somebody waits, or much has come together, and takes all before it along", async () => {
    const bench = new Bench();
    bench.add(5);
    bench.add(6, { isUrgent: true });
    await rest();
    expect(bench.batches).toMatchObject([{ keys: [5, 6], number: 6 }]);
    bench.add(7);
    bench.batches[0]?.end();
    await rest();
    expect(bench.batches).toHaveLength(1);
    bench.add(8, { bytes: 131_072 });
    await rest();
    expect(bench.batches[1]).toMatchObject({ keys: [7, 8], number: 8 });
  });

  test("writes one batch at a time: what comes meanwhile goes into the next", async () => {
    const bench = new Bench();
    bench.add(5, { isUrgent: true });
    await rest();
    bench.add(6, { isUrgent: true });
    bench.add(7, { isUrgent: true });
    await rest();
    expect(bench.batches).toHaveLength(1);
    bench.batches[0]?.end();
    await rest();
    expect(bench.batches[1]).toMatchObject({ keys: [6, 7], number: 7 });
  });

  test("what stands in no record changes no number", async () => {
    const bench = new Bench();
    bench.add(null, { isUrgent: true, key: 9 });
    await rest();
    expect(bench.batches).toMatchObject([{ keys: [9], number: 4 }]);
  });

  test("a flush is of what can be read when it begins, and not of what is being written", async () => {
    const bench = new Bench();
    bench.add(5, { isUrgent: true });
    await rest();
    await expect(bench.tables.flush()).resolves.toBe(4);
    bench.batches[0]?.end();
    await rest();
    await expect(bench.tables.flush()).resolves.toBe(5);
  });

  test("after a batch that failed nothing is written, and everybody is told", async () => {
    const bench = new Bench();
    bench.add(5, { isUrgent: true });
    await rest();
    bench.add(6);
    bench.batches[0]?.fail(new Error("no room"));
    await rest();
    expect(bench.failures).toMatchObject([{ message: "no room" }]);
    expect(bench.told).toEqual(["5 no room", "6 no room"]);
    await bench.tables.settled();
    expect(bench.batches).toHaveLength(1);
  });

  test("settles once all that came is written, without waiting for company", async () => {
    const bench = new Bench();
    bench.add(5);
    let isSettled = false;
    const settled = bench.tables.settled().then(() => (isSettled = true));
    await rest();
    bench.batches[0]?.end();
    await settled;
    expect(isSettled).toBe(true);
    expect(bench.told).toEqual(["1 bytes", "5 written"]);
  });
});
