import { StorageError } from "@seshat/common";
import { LOG_END, LOG_START, indexOf, logKey } from "../keys.js";
import type { RocksView } from "../native/rocksdb.js";
import type { EncodedEntry } from "./stored-values.js";
import { decodeBlock } from "./stored-values.js";

/** A block of the log as it stands in the database. */
export interface LogBlock {
  readonly first: number;
  readonly entries: readonly EncodedEntry[];
}

/** Blocks fetched at a time: with blocks of at most 256 KiB, 2 MiB of memory. */
const BLOCKS_AT_A_TIME = 8;

/** The block that holds the entry at `index`, or the last one before it; null when there is none. */
export async function blockOf(database: RocksView, index: number): Promise<LogBlock | null> {
  return firstBlock(
    database.iterator({ gte: LOG_START, lte: logKey(index), reverse: true, limit: 1, capacity: 1 }),
  );
}

/** The last block of the log; null when it is empty. */
export async function lastBlock(database: RocksView): Promise<LogBlock | null> {
  return firstBlock(database.iterator({ gte: LOG_START, lt: LOG_END, reverse: true, limit: 1, capacity: 1 }));
}

async function firstBlock(
  records: AsyncIterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
): Promise<LogBlock | null> {
  for await (const { key, value } of records) return { first: indexOf(key), entries: decodeBlock(value) };
  return null;
}

/**
 * Reads the entries from `since` on, up to `upto` or until there are `maxBytes` of them: at least one.
 *
 * @throws {StorageError} when one is missing.
 */
export async function readEncoded(
  database: RocksView,
  since: number,
  upto: number,
  maxBytes: number,
): Promise<EncodedEntry[]> {
  const found: EncodedEntry[] = [];
  let bytes = 0;
  const take = ({ first, entries }: LogBlock): boolean => {
    const next = since + found.length;
    const from = next - first;
    if (from < 0 || from >= entries.length) throw missing(next);
    for (const entry of entries.slice(from, upto - first + 1)) {
      found.push(entry);
      bytes += entry.bytes.length;
      if (bytes >= maxBytes) return false;
    }
    return since + found.length <= upto;
  };
  // Whoever reads on begins where a block does, so the search for the block before it is rare.
  let wantsMore = true;
  let looked = false;
  for await (const { key, value } of database.iterator({
    gte: logKey(since),
    lte: logKey(upto),
    capacity: BLOCKS_AT_A_TIME,
  })) {
    if (!looked && indexOf(key) !== since) {
      const before = await blockOf(database, since);
      if (before === null) throw missing(since);
      wantsMore = take(before);
    }
    looked = true;
    if (!wantsMore) break;
    const block = { first: indexOf(key), entries: decodeBlock(value) };
    wantsMore = take(block);
    if (!wantsMore) break;
  }
  if (!looked) {
    const before = await blockOf(database, since);
    if (before === null) throw missing(since);
    wantsMore = take(before);
  }
  if (wantsMore) throw missing(since + found.length);
  return found;
}

function missing(index: number): StorageError {
  return new StorageError("read log", `entry ${index} is missing`);
}
