import type { LogId } from "@seshat/common";
import { StorageError, ZERO_LOG_ID, checkInteger, formatLogId } from "@seshat/common";
import type { Identified, LogChunk } from "./log-chunk.js";
import { LogParts } from "./log-parts.js";

/** A log to look at, not to change. */
export interface MemLogView<E> {
  /** The last entry purged; `ZERO_LOG_ID` when none was. */
  readonly lastPurgedLogId: LogId;
  /** The last entry; `lastPurgedLogId` when the log is empty. */
  readonly lastLogId: LogId;
  /** How many entries the log holds. They stand at `lastPurgedLogId.index + 1` to `lastLogId.index`. */
  readonly length: number;
  /** The entry at `index`, or undefined when the log does not hold it. */
  get(index: number): E | undefined;
  /**
   * The entries from `since` to `upto`, both inclusive; none when `since > upto`.
   *
   * @throws {StorageError} when an entry of the range is missing.
   */
  read(since: number, upto: number): E[];
}

/**
 * A log in memory: a deque of entries addressed by their index, kept in chunks of fixed length. Chunks that are full become
 * blocks, once, when the log goes on behind them, so that a long log has few objects.
 *
 * Append, truncate and purge cost what they touch, however much is kept: a chunk or block is dropped whole once nothing in it is kept. Entries whose commands are plain bytes are packed, and
 * made anew when they are read; those of any other type are kept as they are, and let go of at once when
 * they are purged or truncated.
 *
 * Invariant: the entries from `lastPurgedLogId.index + 1` to `lastLogId.index` are all there, their terms
 * never fall, and no other slot holds an entry.
 */
export class MemLog<E extends Identified> implements MemLogView<E> {
  readonly #parts = new LogParts<E>();
  #lastPurgedLogId: LogId = ZERO_LOG_ID;
  #lastLogId: LogId = ZERO_LOG_ID;

  get lastPurgedLogId(): LogId {
    return this.#lastPurgedLogId;
  }

  get lastLogId(): LogId {
    return this.#lastLogId;
  }

  get length(): number {
    return this.#lastLogId.index - this.#lastPurgedLogId.index;
  }

  get(index: number): E | undefined {
    if (!this.#holds(index)) return undefined;
    const part = this.#parts.at(index);
    return part.get(index - part.start);
  }

  /** @param limit the most entries to return; the whole range must be there all the same. */
  read(since: number, upto: number, limit: number = Number.MAX_SAFE_INTEGER): E[] {
    if (since > upto) return [];
    const first = this.#lastPurgedLogId.index + 1;
    const last = this.#lastLogId.index;
    if (!(Number.isSafeInteger(since) && Number.isSafeInteger(upto) && since >= first && upto <= last)) {
      throw new StorageError("read log", `entries ${since} to ${upto} are asked for, ${this.#extent()}`);
    }
    const entries: E[] = [];
    const until = Math.min(upto, since + limit - 1);
    for (let index = since; index <= until;) {
      const part = this.#parts.at(index);
      const end = Math.min(until - part.start + 1, part.slots);
      for (let slot = index - part.start; slot < end; slot++) entries.push(part.get(slot));
      index = part.start + part.slots;
    }
    return entries;
  }

  /**
   * Appends `entries`, which follow directly on the last one. All of them are checked before the first
   * is stored.
   *
   * @throws {StorageError} when they leave a hole, overwrite an entry, or their terms fall.
   */
  append(entries: readonly E[]): void {
    let last = this.#lastLogId;
    for (const { logId } of entries) {
      if (logId.index !== last.index + 1) {
        const problem = logId.index > last.index ? "leaves a hole" : "overwrites the log";
        throw new StorageError("append", `entry ${formatLogId(logId)} after ${formatLogId(last)} ${problem}`);
      }
      if (!(logId.term >= last.term)) {
        throw new StorageError(
          "append",
          `entry ${formatLogId(logId)} is of an older term than ${formatLogId(last)}`,
        );
      }
      last = logId;
    }
    let chunk: LogChunk<E> | undefined;
    for (const entry of entries) {
      const { index } = entry.logId;
      if (chunk === undefined || index >= chunk.start + chunk.slots) chunk = this.#parts.chunkFor(index);
      chunk.set(index - chunk.start, entry);
    }
    this.#lastLogId = { term: last.term, index: last.index };
  }

  /**
   * Removes every entry from `since` on, `since` included; nothing when the log ends before it.
   *
   * @throws {StorageError} when `since` was purged: what is purged was committed, and is never taken back.
   */
  truncate(since: number): void {
    checkInteger("since", since, 0);
    if (since <= this.#lastPurgedLogId.index) {
      throw new StorageError("truncate", `it begins at entry ${since}, ${this.#extent()}`);
    }
    const last = this.#lastLogId.index;
    if (since > last) return;
    this.#lastLogId =
      since - 1 === this.#lastPurgedLogId.index
        ? this.#lastPurgedLogId
        : { term: this.#termAt(since - 1), index: since - 1 };
    this.#parts.cut(since, this.#lastPurgedLogId.index);
    this.#release(since, last);
  }

  /**
   * Removes every entry up to `upto`, `upto` included, and remembers it. Past the end, the log becomes
   * empty and goes on after it. At or below what was purged before, nothing changes.
   *
   * @throws {StorageError} when the log holds a different entry at that index: what follows it would
   *   belong to another history.
   */
  purge(upto: LogId): void {
    checkInteger("upto.index", upto.index, 0);
    checkInteger("upto.term", upto.term, 0);
    const first = this.#lastPurgedLogId.index + 1;
    if (upto.index < first) return;
    const last = this.#lastLogId.index;
    if (this.#holds(upto.index) && this.#termAt(upto.index) !== upto.term) {
      const held = { term: this.#termAt(upto.index), index: upto.index };
      throw new StorageError(
        "purge",
        `it ends at ${formatLogId(upto)}, but the log holds ${formatLogId(held)}`,
      );
    }
    this.#lastPurgedLogId = { term: upto.term, index: upto.index };
    if (upto.index >= last) this.#lastLogId = this.#lastPurgedLogId;
    this.#release(first, Math.min(upto.index, last));
  }

  /** Lets go of the entries from `since` to `upto`, which no longer belong to the log. */
  #release(since: number, upto: number): void {
    const first = this.length === 0 ? Number.POSITIVE_INFINITY : this.#lastPurgedLogId.index + 1;
    this.#parts.release(since, upto, first, this.#lastLogId.index);
  }

  #holds(index: number): boolean {
    return index > this.#lastPurgedLogId.index && index <= this.#lastLogId.index;
  }

  #termAt(index: number): number {
    const part = this.#parts.at(index);
    return part.termAt(index - part.start);
  }

  #extent(): string {
    const { index } = this.#lastPurgedLogId;
    const held = this.length === 0 ? "no entries" : `entries ${index + 1} to ${this.#lastLogId.index}`;
    return `but the log holds ${held} and was purged up to ${index}`;
  }
}
