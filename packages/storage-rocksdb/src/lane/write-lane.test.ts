import { describe, expect, test } from "vitest";
import { nodeIo } from "../io/store-io.js";
import type { RocksDatabase, RocksWriteBatch } from "../native/rocksdb.js";
import { NO_EXTENT } from "../wal/extent.js";
import type { MarkerFile } from "../wal/marker-file.js";
import type { WalFiles } from "../wal/wal-files.js";
import { WriteLane } from "./write-lane.js";

/** A step that ends when the test says so. */
interface Step {
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** A lane whose batches and syncs wait for the test. */
class Bench {
  readonly batches: Step[] = [];
  readonly syncs: Step[] = [];
  /** What each write was told, in order. */
  readonly told: string[] = [];
  readonly lane: WriteLane;

  constructor() {
    const step = (steps: Step[]): Promise<void> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      steps.push({ end: resolve, fail: reject });
      return promise;
    };
    const batch: Partial<RocksWriteBatch> = {
      tryPut: () => {},
      destroy: () => {},
      flush: () => step(this.batches),
    };
    const database: Partial<RocksDatabase> = {
      write: () => batch as RocksWriteBatch,
      currentWalFile: async () => ({ number: 4, size: 100 }),
      getProperty: async () => "0",
    };
    const wals: Partial<WalFiles> = { syncNewest: () => step(this.syncs), syncUpTo: async () => {} };
    const marker: Partial<MarkerFile> = { writeExtent: async () => {}, sync: async () => {} };
    this.lane = new WriteLane({
      database: database as RocksDatabase,
      wals: wals as WalFiles,
      marker: marker as MarkerFile,
      io: nodeIo,
      extent: NO_EXTENT,
      stallMs: 60_000,
    });
  }

  write(name: string): void {
    const tell =
      (what: string) =>
      (error: Error | null): void =>
        void this.told.push(`${name} ${error === null ? what : `not ${what}`}`);
    this.lane.enqueue({
      verb: "append",
      bytes: 1,
      fill: () => {},
      onWritten: tell("written"),
      onDurable: tell("durable"),
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

describe("WriteLane", () => {
  test("says that a write can be read when its batch is written, and that it is durable when its sync has ended", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    expect(bench.told).toEqual([]);
    bench.batches[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a written"]);
    bench.syncs[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a written", "a durable"]);
  });

  test("writes batches during a sync, and makes them durable with the next one: group commit", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.batches[0]?.end();
    await bench.rest();
    for (const [at, name] of ["b", "c"].entries()) {
      bench.write(name);
      await bench.rest();
      bench.batches[at + 1]?.end();
      await bench.rest();
    }
    expect(bench.told).toEqual(["a written", "b written", "c written"]);
    expect(bench.syncs.length).toBe(1);
    bench.syncs[0]?.end();
    await bench.rest();
    expect(bench.told.slice(3)).toEqual(["a durable"]);
    expect(bench.syncs.length).toBe(2);
    bench.syncs[1]?.end();
    await bench.rest();
    expect(bench.told.slice(4)).toEqual(["b durable", "c durable"]);
  });

  test("a sync that fails fails what it was for, what was written since, and what waits: each once", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.batches[0]?.end();
    await bench.rest();
    bench.write("b");
    await bench.rest();
    bench.write("c");
    bench.syncs[0]?.fail(new Error("the disk is on fire"));
    await bench.rest();
    // The batch of b ends after all, and nothing more is said of it.
    bench.batches[1]?.end();
    await bench.rest();
    expect(bench.told.toSorted((x, y) => x.localeCompare(y))).toEqual([
      "a not durable",
      "a written",
      "b not durable",
      "b not written",
      "c not durable",
      "c not written",
    ]);
    expect(bench.syncs.length).toBe(1);
    expect(() => bench.write("d")).toThrow("an earlier write failed: the disk is on fire");
    await bench.lane.close();
  });

  test("a batch that fails during a sync fails what that was for too: after the first failure nothing is promised", async () => {
    const bench = new Bench();
    bench.write("a");
    await bench.rest();
    bench.batches[0]?.end();
    await bench.rest();
    bench.write("b");
    await bench.rest();
    bench.batches[1]?.fail(new Error("no room"));
    await bench.rest();
    bench.syncs[0]?.end();
    await bench.rest();
    expect(bench.told).toEqual(["a written", "b not written", "b not durable", "a not durable"]);
    await bench.lane.close();
  });
});
