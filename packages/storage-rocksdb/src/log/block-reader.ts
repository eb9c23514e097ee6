import type { RaftTypeConfig, StoredMembership } from "@seshat/common";
import { StorageError } from "@seshat/common";
import type { EntryCodec } from "@seshat/common/codec";
import { LOG_END, LOG_START, indexOf, logKey } from "../keys.js";
import type { RocksRange, RocksView } from "../native/rocksdb.js";
import { LogBlock } from "./blocks.js";

/** Bytes of blocks fetched at a time, about, and how many blocks. */
const FETCH_BYTES = 2_097_152;
const MIN_FETCH = 8;
const MAX_FETCH = 128;
/** One read ends once it has this many bytes. */
const READ_BYTES = 4_194_304;

/** Reads blocks of the log. */
export class BlockReader<C extends RaftTypeConfig> {
  readonly #database: RocksView;
  readonly #codec: EntryCodec<C>;
  /** How large blocks were in the last read, on average. */
  #blockBytes = FETCH_BYTES;

  constructor(database: RocksView, codec: EntryCodec<C>) {
    this.#database = database;
    this.#codec = codec;
  }

  /** The block that holds the entry at `index`, or the last one before it; null when there is none. */
  blockOf(index: number): Promise<LogBlock<C> | null> {
    return this.#one({ gte: LOG_START, lte: logKey(index), reverse: true });
  }

  /** The last block of the log; null when it is empty. */
  lastBlock(): Promise<LogBlock<C> | null> {
    return this.#one({ gte: LOG_START, lt: LOG_END, reverse: true });
  }

  /**
   * Reads the entries from `since` on, up to `upto` or until about 4 MiB were read: at least one.
   *
   * @throws {StorageError} when one is missing.
   */
  async read(since: number, upto: number): Promise<C["Entry"][]> {
    const found: C["Entry"][] = [];
    await this.#walk(since, upto, READ_BYTES, (block, next) => {
      const entries = block.entries(next, upto);
      for (const entry of entries) found.push(entry);
      return entries.length;
    });
    return found;
  }

  /**
   * Finds the memberships among the entries from `since` to `upto`.
   *
   * @throws {StorageError} when one of these entries is missing.
   */
  async findMemberships(since: number, upto: number): Promise<StoredMembership<C["Node"]>[]> {
    const found: StoredMembership<C["Node"]>[] = [];
    await this.#walk(since, upto, Infinity, (block, next) => block.findMemberships(next, upto, found));
    return found;
  }

  /**
   * Goes through the blocks that hold the entries from `since` to `upto`, or ends once it has seen `maxBytes` of them.
   *
   * @param visit is given each block and the first entry that is wanted of it, and says how many it has from there on.
   * @throws {StorageError} when an entry is missing.
   */
  async #walk(
    since: number,
    upto: number,
    maxBytes: number,
    visit: (block: LogBlock<C>, next: number) => number,
  ): Promise<void> {
    const sizes = { blocks: 0, bytes: 0 };
    let next = since;
    /** Says whether more is wanted. */
    const take = (block: LogBlock<C>): boolean => {
      const count = block.first > next ? 0 : visit(block, next);
      if (count === 0) throw missing(next);
      next += count;
      sizes.blocks += 1;
      sizes.bytes += block.size;
      return next <= upto && sizes.bytes < maxBytes;
    };
    const fetched = Math.round(FETCH_BYTES / this.#blockBytes);
    const capacity = Math.min(Math.max(fetched, MIN_FETCH), MAX_FETCH);
    let wantsMore = true;
    for await (const record of this.#database.iterator({ gte: logKey(since), lte: logKey(upto), capacity })) {
      // Whoever reads on begins where a block does, so the search for the block before it is rare.
      if (next === since && indexOf(record.key) !== since) wantsMore = take(await this.#blockOf(since));
      if (wantsMore) wantsMore = take(new LogBlock(record, this.#codec));
      if (!wantsMore) break;
    }
    if (next === since) wantsMore = take(await this.#blockOf(since));
    if (wantsMore) throw missing(next);
    this.#blockBytes = sizes.bytes / sizes.blocks;
  }

  async #blockOf(index: number): Promise<LogBlock<C>> {
    const block = await this.blockOf(index);
    if (block === null) throw missing(index);
    return block;
  }

  async #one(range: RocksRange): Promise<LogBlock<C> | null> {
    for await (const record of this.#database.iterator({ ...range, limit: 1, capacity: 1 })) {
      return new LogBlock(record, this.#codec);
    }
    return null;
  }
}

function missing(index: number): StorageError {
  return new StorageError("read log", `entry ${index} is missing`);
}
