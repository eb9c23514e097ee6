import type { LogEntry } from "@seshat/common";

type Entries = readonly LogEntry<unknown, unknown>[];

const NONE: Entries = [];

/**
 * The entries appended last, in the batches in which they came, so that applying and sending them reads no storage.
 * It holds whole batches, consecutive and without a gap, and drops the oldest past a bound.
 */
export class LogCache {
  readonly #maxEntries: number;
  readonly #batches: Entries[] = [];
  /** Batches before this position are dropped; the array is cut now and then, so that dropping one costs nothing. */
  #head = 0;
  #count = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Adds entries that follow on the last; entries that do not make the cache start anew with them. */
  append(entries: Entries): void {
    const newest = this.#batches[this.#batches.length - 1];
    // What was dropped is an empty batch.
    if (newest !== undefined && newest.length > 0 && lastIndex(newest) + 1 !== entries[0]?.logId.index)
      this.#clear();
    this.#batches.push(entries);
    this.#count += entries.length;
    while (this.#count > this.#maxEntries && this.#head < this.#batches.length - 1) this.#dropOldest();
    this.#cut();
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
      this.#count -= newest.length;
      if (first < since) {
        const kept = newest.slice(0, since - first);
        this.#batches.push(kept);
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

  #dropOldest(): void {
    this.#count -= (this.#batches[this.#head] as Entries).length;
    this.#batches[this.#head] = NONE;
    this.#head++;
  }

  #cut(): void {
    if (this.#head === this.#batches.length) this.#clear();
    else if (this.#head >= 64 && this.#head * 2 >= this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #clear(): void {
    // Mostly it is one; setting the length is a call out of JavaScript.
    while (this.#batches.length > 0) this.#batches.pop();
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
