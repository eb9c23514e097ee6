import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "@seshat/common";
import { ByteReader } from "@seshat/common/binary";
import { UnusableStoreError, messageOf } from "../errors.js";
import { JOURNALED_KEY } from "../keys.js";
import type { RocksConstructor, RocksDatabase, RocksOptions } from "../native/rocksdb.js";

/** How long a database that is stuck may take to close: RocksDB looks every 5 seconds whether there is room again. */
const STUCK_CLOSE_MS = 12_000;
/** A file of RocksDB's write-ahead log. */
const LOG_NAME = /^\d+\.log$/;
/** Of the database that is only a lock. */
const LOCK_BUFFER_BYTES = 65_536;

/**
 * Opens the database of a store. What RocksDB's own write-ahead log holds goes: nobody asked for that to be durable, and after a power failure any part of
 * it may be missing. So what is there is what stands in tables, which is everything up to some batch: RocksDB makes tables of batches in their order.
 *
 * @throws {UnusableStoreError}
 */
export async function openData(
  Rocks: RocksConstructor,
  path: string,
  options: RocksOptions,
): Promise<RocksDatabase> {
  const logs = (await readdir(path)).filter((name) => LOG_NAME.test(name));
  for (const name of logs) await rm(join(path, name));
  return openDatabase(Rocks, path, options);
}

/**
 * Closes it.
 *
 * @param isStuck a write was given up that RocksDB may never end: then it is not waited for longer than a few seconds.
 * @throws {StorageError} when it does not let go.
 */
export async function closeData(database: RocksDatabase, path: string, isStuck: boolean): Promise<void> {
  const closed = database.close({ force: true });
  if (!isStuck) return closed;
  closed.catch(() => {});
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), STUCK_CLOSE_MS);
  const outcome = await Promise.race([closed, late]);
  clearTimeout(timer);
  if (outcome === "late") {
    const problem = `RocksDB does not end what it began while the disk was full: ${path} stays locked until this process ends`;
    throw new StorageError("append", problem);
  }
}

/**
 * An empty database of its own, whose lock is held for as long as the store is open. The lock is the operating system's and ends with
 * the process; Node.js offers none, and that of the data's database cannot be had before its files are looked at.
 */
export async function takeLock(Rocks: RocksConstructor, path: string): Promise<RocksDatabase> {
  try {
    return await openDatabase(Rocks, path, {
      createIfMissing: true,
      writeBufferSize: LOCK_BUFFER_BYTES,
    });
  } catch (cause) {
    if (!(cause instanceof UnusableStoreError)) throw cause;
    if (!/lock hold by current process|lock file|No locks available/i.test(cause.problem)) throw cause;
    const who = cause.problem.includes("current process") ? "this process" : "another process";
    throw new UnusableStoreError("locked", path, `${who} has the store open (${cause.problem})`, { cause });
  }
}

/** The number of the last record of the journal that the database has. */
export async function storedNumber(database: RocksDatabase): Promise<number> {
  const bytes = await database.get(JOURNALED_KEY);
  return bytes === null ? 0 : new ByteReader("number of a record", bytes).u64();
}

async function openDatabase(
  Rocks: RocksConstructor,
  path: string,
  options: RocksOptions,
): Promise<RocksDatabase> {
  const database = new Rocks(path, options);
  try {
    await database.ready();
    return database;
  } catch (cause) {
    const problem = messageOf(cause);
    throw new UnusableStoreError(/corruption/i.test(problem) ? "damaged" : "io", path, problem, { cause });
  }
}
