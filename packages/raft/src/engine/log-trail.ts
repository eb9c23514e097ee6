import type { LogId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";

/** The entries from `firstIndex` up to the next range (or the end of the log) were created in `term`. */
export interface TermRange {
  readonly term: number;
  readonly firstIndex: number;
}

/**
 * The log ids of a log without its entries. Terms only rise along a log, so a few ranges say it all: the
 * engine answers "which term is at index i" without reading storage, in memory that grows with elections, not writes.
 *
 * Invariants: indexes run without a gap from `purged.index + 1` to `last.index`; terms never fall.
 */
export class LogTrail {
  #purged: LogId;
  #last: LogId;
  /** Ascending by term and by index; covers exactly the entries after `#purged`. */
  #ranges: TermRange[];

  /** @param ranges ascending, from `purged.index + 1` on; empty when the log is. */
  constructor(purged: LogId = ZERO_LOG_ID, last: LogId = purged, ranges: readonly TermRange[] = []) {
    this.#purged = purged;
    this.#last = last;
    this.#ranges = [...ranges];
    if (last.index > purged.index !== ranges.length > 0)
      throw new Error("log trail: ranges do not cover the log");
  }

  /** The last entry that was purged. */
  get purged(): LogId {
    return this.#purged;
  }

  /** The last entry, or `purged` when there is none. */
  get last(): LogId {
    return this.#last;
  }

  /** The term of the entry at `index`; undefined when it is past the end, or purged and no longer known. */
  termAt(index: number): number | undefined {
    if (index === this.#last.index) return this.#last.term;
    if (index === this.#purged.index) return this.#purged.term;
    if (index < this.#purged.index || index > this.#last.index) return undefined;
    return this.#ranges[this.#rangeAt(index)]?.term;
  }

  /** True when the log has this entry. The position before the first entry counts; purged entries do not, but the last of them. */
  has(logId: LogId): boolean {
    return this.termAt(logId.index) === logId.term;
  }

  /** The log id at `index`, which must be known. */
  at(index: number): LogId {
    const term = this.termAt(index);
    if (term === undefined)
      throw new Error(
        `log trail: index ${index} is not between ${this.#purged.index} and ${this.#last.index}`,
      );
    return { term, index };
  }

  /**
   * The newest entry at or below `index` whose term is at or below `term`: where two logs can still agree, once
   * they are known to differ after it. The purged one when there is none newer.
   */
  lastNoNewerThan(index: number, term: number): LogId {
    let end = Math.min(index, this.#last.index);
    for (let i = this.#ranges.length - 1; i >= 0; i--) {
      const range = this.#ranges[i] as TermRange;
      if (range.firstIndex <= end) {
        if (range.term <= term) return { term: range.term, index: end };
        end = range.firstIndex - 1;
      }
    }
    return this.#purged;
  }

  /** Adds entries of `term` up to index `upto`. */
  extend(term: number, upto: number): void {
    if (upto <= this.#last.index) throw new Error(`log trail: cannot extend ${this.#last.index} to ${upto}`);
    if (term < this.#last.term) throw new Error(`log trail: term ${term} after ${this.#last.term}`);
    const newest = this.#ranges[this.#ranges.length - 1];
    if (newest === undefined || newest.term < term)
      this.#ranges.push({ term, firstIndex: this.#last.index + 1 });
    this.#last = { term, index: upto };
  }

  /** Removes the entries from index `since` on, inclusive. */
  truncate(since: number): void {
    if (since <= this.#purged.index) throw new Error(`log trail: cannot truncate the purged entry ${since}`);
    const last = this.at(since - 1);
    while (this.#ranges.length > 0 && (this.#ranges.at(-1) as TermRange).firstIndex >= since)
      this.#ranges.pop();
    this.#last = last;
  }

  /** Forgets the entries up to `upto`, inclusive. Past the end, or against what stood there, the log becomes empty and goes on after it. */
  purge(upto: LogId): void {
    if (upto.index <= this.#purged.index) return;
    if (upto.index >= this.#last.index || !this.has(upto)) {
      this.#ranges = [];
      this.#last = upto;
    } else {
      const first = this.#rangeAt(upto.index + 1);
      const term = (this.#ranges[first] as TermRange).term;
      this.#ranges = [{ term, firstIndex: upto.index + 1 }, ...this.#ranges.slice(first + 1)];
    }
    this.#purged = upto;
  }

  /** The ranges, oldest first. */
  ranges(): readonly TermRange[] {
    return this.#ranges;
  }

  /** The position in `#ranges` of the range that holds `index`. */
  #rangeAt(index: number): number {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#ranges[middle] as TermRange).firstIndex <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
