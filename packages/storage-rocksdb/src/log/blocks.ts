import type { LogEntry, RaftTypeConfig, StoredMembership } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { readU32 } from "@seshat/common/binary";
import type { EntryCodec } from "@seshat/common/codec";
import { indexOf } from "../keys.js";
import type { RocksRecord } from "../native/rocksdb.js";

/*
 * The log stands in blocks, each under the index of its first entry:
 *
 *   block = version u8 = 2, (length u32, entry) * at least 1
 *
 * Lengths and entries are those of `EntryCodec`.
 */
export const BLOCK_VERSION = 2;
const FORMAT = "block of the log";
/** Before the first entry. */
const HEADER_BYTES = 1;
const LENGTH_BYTES = 4;

/** A block as it stands in the database. What is not asked for is not decoded. */
export class LogBlock<C extends RaftTypeConfig> {
  /** The index of the first entry. */
  readonly first: number;
  readonly #codec: EntryCodec<C>;
  readonly #bytes: Uint8Array;

  /** @throws {CodecError} when the value is no block of this version. */
  constructor({ key, value }: RocksRecord, codec: EntryCodec<C>) {
    this.first = indexOf(key);
    this.#codec = codec;
    this.#bytes = value;
    const [version] = value;
    if (version !== BLOCK_VERSION) {
      throw new CodecError(FORMAT, 0, `version ${version} is unknown; this is version ${BLOCK_VERSION}`);
    }
    if (value.length === HEADER_BYTES) throw new CodecError(FORMAT, HEADER_BYTES, "a block of no entries");
  }

  /** How large it is. */
  get size(): number {
    return this.#bytes.length;
  }

  /** The index of the last entry. */
  get last(): number {
    let last = this.first - 1;
    for (let at = HEADER_BYTES; at < this.#bytes.length; at = this.#after(at)) last += 1;
    return last;
  }

  /**
   * The entries from `since` to `upto` that are in it.
   *
   * @throws when the bytes are not what was written.
   */
  entries(since: number = this.first, upto: number = Infinity): LogEntry<C["D"], C["Node"]>[] {
    const { from, start, bytes } = this.#part(since, upto);
    const entries = this.#codec.decodeEntries(bytes);
    const wrong = entries.findIndex(({ logId }, at) => logId.index !== from + at);
    if (wrong !== -1) throw new CodecError(FORMAT, start, `another entry where ${from + wrong} has to be`);
    return entries;
  }

  /**
   * Adds the memberships from `since` to `upto` that are in it to `found`. Nothing else is decoded.
   *
   * @returns how many entries of that range are in it.
   * @throws when the bytes are not what was written.
   */
  findMemberships(since: number, upto: number, found: StoredMembership<C["Node"]>[]): number {
    const { from, bytes } = this.#part(since, upto);
    return this.#codec.findMemberships(bytes, from, found);
  }

  /** The entries from `since` to `upto` that are in it: the first index, and where they stand. */
  #part(
    since: number,
    upto: number,
  ): { readonly from: number; readonly start: number; readonly bytes: Uint8Array } {
    const start = this.#skip(HEADER_BYTES, since - this.first);
    const from = Math.max(since, this.first);
    const isWhole = upto === Infinity;
    const end = isWhole ? this.#bytes.length : this.#skip(start, upto + 1 - from);
    return { from, start, bytes: this.#bytes.subarray(start, end) };
  }

  /** Where the entry is that comes `count` after the one at `at`; the end when there is none. */
  #skip(at: number, count: number): number {
    let next = at;
    for (let left = count; left > 0 && next < this.#bytes.length; left--) next = this.#after(next);
    return next;
  }

  #after(at: number): number {
    const { length } = this.#bytes;
    const start = at + LENGTH_BYTES;
    const next = start > length ? start : start + readU32(this.#bytes, at);
    if (next > length) throw new CodecError(FORMAT, at, "an entry that reaches past its block");
    return next;
  }
}
