import { describe, expect, test } from "vitest";
import type { RocksDatabase } from "../native/rocksdb.js";
import { NO_EXTENT } from "../wal/extent.js";
import type { Extent } from "../wal/extent.js";
import type { MarkerFile } from "../wal/marker-file.js";
import type { WalFiles } from "../wal/wal-files.js";
import { Syncer } from "./syncer.js";

/** WAL files of which RocksDB writes the newest, and the store holds one open. */
class Files {
  current = { number: 4, size: 0 };
  open = { number: 0, size: 0 };
  asked = 0;
  readonly marked: Extent[] = [];
  readonly syncer: Syncer;

  constructor() {
    const wals: Pick<WalFiles, "newest" | "newestSize" | "syncNewest" | "syncUpTo"> = {
      newest: 0,
      newestSize: () => this.open.size,
      syncNewest: async () => {},
      syncUpTo: async (number) => {
        if (number !== this.open.number) this.open = this.current;
      },
    };
    Object.defineProperty(wals, "newest", { get: () => this.open.number });
    const database: Pick<RocksDatabase, "currentWalFile"> = {
      currentWalFile: async () => {
        this.asked += 1;
        return { ...this.current };
      },
    };
    const marker: Pick<MarkerFile, "writeExtent" | "sync"> = {
      writeExtent: async (extent) => void this.marked.push(extent),
      sync: async () => {},
    };
    this.syncer = new Syncer({
      database: database as RocksDatabase,
      wals: wals as WalFiles,
      marker: marker as MarkerFile,
      extent: NO_EXTENT,
      onMarkerFailure: () => {},
    });
  }

  write(bytes: number): void {
    this.current.size += bytes + 30;
    this.syncer.batchWritten(bytes);
  }

  /** @returns what was synced. */
  async sync(batches: number): Promise<Extent> {
    const { done } = await this.syncer.begin(batches);
    await done;
    return this.syncer.extent;
  }
}

describe("Syncer", () => {
  test("asks RocksDB for its newest file until that is the one held open, and then while batches show in its length no more", async () => {
    const files = new Files();
    files.write(100);
    expect(await files.sync(1)).toEqual({ batches: 1, wal: 4, size: 130 });
    files.write(100);
    expect(await files.sync(2)).toEqual({ batches: 2, wal: 4, size: 260 });
    expect(files.asked).toBe(2);
    files.write(50);
    files.write(50);
    expect(await files.sync(4)).toEqual({ batches: 4, wal: 4, size: 420 });
    expect(files.asked).toBe(2);
    expect(files.marked).toHaveLength(3);
    files.syncer.stop();
  });

  test("asks again after a batch that the file held open has not grown by: RocksDB has begun another", async () => {
    const files = new Files();
    for (let batch = 1; batch <= 2; batch++) {
      files.write(100);
      await files.sync(batch);
    }
    const { asked } = files;
    files.write(100);
    files.current = { number: 9, size: 0 };
    files.write(100);
    // One more in the new file, and nothing in the old one.
    files.write(100);
    expect(await files.sync(5)).toEqual({ batches: 5, wal: 9, size: 260 });
    expect(files.asked).toBe(asked + 1);
    files.write(100);
    expect(await files.sync(6)).toEqual({ batches: 6, wal: 9, size: 390 });
    files.write(100);
    expect(await files.sync(7)).toEqual({ batches: 7, wal: 9, size: 520 });
    expect(files.asked).toBe(asked + 2);
    files.syncer.stop();
  });

  test("a file that has grown by less than a batch does not hold it", async () => {
    const files = new Files();
    for (let batch = 1; batch <= 2; batch++) {
      files.write(100);
      await files.sync(batch);
    }
    const { asked } = files;
    files.current.size += 20;
    files.syncer.batchWritten(100);
    await files.sync(3);
    expect(files.asked).toBe(asked + 1);
    files.syncer.stop();
  });
});
