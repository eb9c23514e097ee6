import { describe, expect, test } from "vitest";
import type { RocksDatabase, RocksWriteBatch } from "../native/rocksdb.js";
import { BatchWriter } from "./batch-writer.js";

/** A database whose batches end when they are told to. */
class SlowDatabase {
  readonly puts: Uint8Array[][] = [];
  errors = "0";
  stopped = "0";
  destroyed = 0;
  flush: () => Promise<void> = async () => {};

  write(): RocksWriteBatch {
    return {
      tryPut: (key, value) => void this.puts.push([key, value]),
      tryDelete: () => {},
      tryDeleteRange: () => {},
      flush: () => this.flush(),
      destroy: () => void (this.destroyed += 1),
    };
  }

  async getProperty(name: string): Promise<string> {
    return name === "rocksdb.background-errors" ? this.errors : this.stopped;
  }
}

function make(stallMs: number): { readonly database: SlowDatabase; readonly writer: BatchWriter } {
  const database = new SlowDatabase();
  return { database, writer: new BatchWriter(database as unknown as RocksDatabase, stallMs) };
}

describe("BatchWriter", () => {
  test("writes what it is given, in order", async () => {
    const { database, writer } = make(1000);
    const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
    await writer.write([(batch) => batch.tryPut(a, b), (batch) => batch.tryPut(b, a)]);
    writer.stop();
    expect(database.puts).toEqual([
      [a, b],
      [b, a],
    ]);
    expect(database.destroyed).toBe(1);
  });

  test("a write that cannot be put into the batch fails it, and nothing is written", async () => {
    const { database, writer } = make(1000);
    database.flush = () => Promise.reject(new Error("flushed all the same"));
    const fill = (): void => {
      throw new Error("no such entry");
    };
    await expect(writer.write([fill])).rejects.toThrow("no such entry");
    expect(database.destroyed).toBe(1);
  });

  test("a batch that fails after RocksDB failed in the background says what that may have been", async () => {
    const { database, writer } = make(1000);
    database.flush = () => Promise.reject(new Error("Bad file descriptor"));
    await expect(writer.write([])).rejects.toThrow(/^Bad file descriptor$/);
    database.errors = "1";
    await expect(writer.write([])).rejects.toThrow(/^Bad file descriptor; .*the disk may be full$/);
    database.flush = () => Promise.reject(new Error("No space left on device"));
    await expect(writer.write([])).rejects.toThrow(/^No space left on device$/);
    writer.stop();
  });

  test("gives up a batch that does not end after RocksDB failed in the background", async () => {
    const { database, writer } = make(1);
    database.errors = "1";
    database.stopped = "1";
    const { promise, resolve } = Promise.withResolvers<void>();
    database.flush = () => promise;
    await expect(writer.write([])).rejects.toThrow("the disk may be full");
    expect(writer.gaveUp).toBe(true);
    // RocksDB still has it in its hands.
    expect(database.destroyed).toBe(0);
    resolve();
    await promise;
    await new Promise((done) => {
      setImmediate(done);
    });
    expect(database.destroyed).toBe(1);
    writer.stop();
  });

  test.each([
    ["RocksDB is only slow", "0", "1"],
    ["RocksDB failed at something before, and takes writes again", "1", "0"],
  ])("waits for one that does not end while %s", async (_, errors, stopped) => {
    const { database, writer } = make(1);
    let looked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    database.getProperty = async (name) => {
      if (++looked === 6) resolve();
      return name === "rocksdb.background-errors" ? errors : stopped;
    };
    database.flush = () => promise;
    await writer.write([]);
    expect(writer.gaveUp).toBe(false);
    writer.stop();
  });
});
