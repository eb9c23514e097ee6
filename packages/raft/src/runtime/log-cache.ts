import type { LogEntry } from "@seshat/common";

type Entries = readonly LogEntry<unknown, unknown>[];

const NONE: Entries = [];

/**
 * The entries appended last, in the batches in which they came, so that applying and sending them reads no storage.
 * It holds whole batches, consecutive and without a gap, and drops the oldest past a bound: but none that cannot be read from storage
 * yet. Those wait in the log lane, which holds them anyway.
 */
export class LogCache {
  readonly #maxEntries: number;
  readonly #batches: Entries[] = [];
  /** The write that brings each batch to storage. */
  readonly #ioSeqs: number[] = [];
  /** The last append that storage has taken: what came up to it can be read there. */
  #readable = 0;
  /** Batches before this position are dropped; the array is cut now and then, so that dropping one costs nothing. */
  #head = 0;
  #count = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Adds entries that follow on the last; entries that do not make the cache start anew with them. @param ioSeq of their write. */
  append(entries: Entries, ioSeq: number): void {
    const newest = this.#batches[this.#batches.length - 1];
    // What was dropped is an empty batch.
    if (newest !== undefined && newest.length > 0 && lastIndex(newest) + 1 !== entries[0]?.logId.index)
      this.#clear();
    this.#batches.push(entries);
    this.#ioSeqs.push(ioSeq);
    this.#count += entries.length;
    if (this.#count > this.#maxEntries) this.#shrink();
  }

  /** What the append `ioSeq`, and those before it, have brought can be read from storage. */
  readable(ioSeq: number): void {
    this.#readable = ioSeq;
    if (this.#count > this.#maxEntries) this.#shrink();
  }

  /** The last index up to `upto` that can be read from storage, for who asks for more than is here. */
  readableUpto(upto: number): number {
    let first = upto + 1;
    for (let position = this.#batches.length - 1; position >= this.#head; position--) {
      if ((this.#ioSeqs[position] as number) <= this.#readable) break;
      first = Math.min(first, firstIndex(this.#batches[position] as Entries));
    }
    return first - 1;
  }

  /** Drops the batches that end at or before index `upto`: nobody is going to ask for them soon. */
  release(upto: number): void {
    while (this.#head < this.#batches.length && lastIndex(this.#batches[this.#head] as Entries) <= upto)
      this.#dropOldest();
    this.#cut();
  }

  /** Removes the entries from index `since` on, inclusive. */
  truncate(since: number): void {
    while (this.#batches.length > this.#head) {
      const newest = this.#batches.at(-1) as Entries;
      const first = firstIndex(newest);
      if (first + newest.length <= since) return;
      this.#batches.pop();
      const ioSeq = this.#ioSeqs.pop() as number;
      this.#count -= newest.length;
      if (first < since) {
        const kept = newest.slice(0, since - first);
        this.#batches.push(kept);
        this.#ioSeqs.push(ioSeq);
        this.#count += kept.length;
        return;
      }
    }
  }

  /** The entries from `since` to `upto`, both inclusive; undefined when not all of them are here. */
  slice(since: number, upto: number): Entries | undefined {
    let position = this.#batches.length - 1;
    while (position >= this.#head && firstIndex(this.#batches[position] as Entries) > since) position--;
    if (position < this.#head) return undefined;
    const batch = this.#batches[position] as Entries;
    const first = firstIndex(batch);
    if (first === since && batch.length === upto - since + 1) return batch;
    if (upto < first + batch.length) return batch.slice(since - first, upto - first + 1);
    const collected: LogEntry<unknown, unknown>[] = batch.slice(since - first);
    for (position++; position < this.#batches.length && collected.length < upto - since + 1; position++) {
      for (const entry of this.#batches[position] as Entries) {
        if (entry.logId.index > upto) break;
        collected.push(entry);
      }
    }
    return collected.length === upto - since + 1 ? collected : undefined;
  }

  #shrink(): void {
    while (
      this.#count > this.#maxEntries &&
      this.#head < this.#batches.length - 1 &&
      (this.#ioSeqs[this.#head] as number) <= this.#readable
    )
      this.#dropOldest();
    this.#cut();
  }

  #dropOldest(): void {
    this.#count -= (this.#batches[this.#head] as Entries).length;
    this.#batches[this.#head] = NONE;
    this.#head++;
  }

  #cut(): void {
    if (this.#head === this.#batches.length) this.#clear();
    else if (this.#head >= 64 && this.#head * 2 >= this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#ioSeqs.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #clear(): void {
    // Mostly it is one; setting the length is a call out of JavaScript.
    while (this.#batches.length > 0) {
      this.#batches.pop();
      this.#ioSeqs.pop();
    }
    this.#head = 0;
    this.#count = 0;
  }
}

function lastIndex(batch: Entries): number {
  return (batch[batch.length - 1] as LogEntry<unknown, unknown>).logId.index;
}

function firstIndex(batch: Entries): number {
  return (batch[0] as LogEntry<unknown, unknown>).logId.index;
}
