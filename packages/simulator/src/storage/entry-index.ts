import type { LogId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";

/** Where an entry stands. */
export interface EntryPlace {
  readonly term: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** Where the entries of a log stand on disk: all that is kept of them in memory. */
export class EntryIndex {
  /** The entry before the first place. */
  #before: LogId;
  #places: EntryPlace[] = [];

  /** @param before the entry after which the log begins. */
  constructor(before: LogId = ZERO_LOG_ID) {
    this.#before = before;
  }

  /** The entry after which the log begins. */
  get before(): LogId {
    return this.#before;
  }

  get lastLogId(): LogId {
    const last = this.#places.at(-1);
    return last === undefined
      ? this.#before
      : { term: last.term, index: this.#before.index + this.#places.length };
  }

  /** Undefined when the log does not hold the entry. */
  get(index: number): EntryPlace | undefined {
    return this.#places[index - this.#before.index - 1];
  }

  /** The log id of the entry at `index`, or of the one before the first; undefined for all others. */
  logIdAt(index: number): LogId | undefined {
    if (index === this.#before.index) return this.#before;
    const place = this.get(index);
    return place === undefined ? undefined : { term: place.term, index };
  }

  push(place: EntryPlace): void {
    this.#places.push(place);
  }

  /** The log ends with `last` from now on, which may be before all that is in it. */
  endWith(last: LogId): void {
    if (last.index <= this.#before.index) {
      this.#before = last;
      this.#places = [];
    } else {
      this.#places.length = last.index - this.#before.index;
    }
  }

  /** The log begins after `before` from now on, which may be after all that is in it. */
  beginAfter(before: LogId): void {
    this.#places.splice(0, before.index - this.#before.index);
    this.#before = before;
  }
}
