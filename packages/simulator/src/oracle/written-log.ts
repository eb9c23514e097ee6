import type { LogId } from "@seshat/common";

/**
 * The entries that a storage was asked to hold and was not asked, with success, to remove: what it may bring back after a crash. A truncation
 * counts from the moment at which it is durable; until then both logs may come back.
 */
export class WrittenLog {
  readonly #terms = new Map<number, number>();
  #lastIndex = 0;

  /** A life begins with these entries, by index. */
  restart(terms: ReadonlyMap<number, number>): void {
    this.#terms.clear();
    this.#lastIndex = 0;
    for (const [index, term] of terms) this.#set(index, term);
  }

  append(logIds: readonly LogId[]): void {
    for (const { index, term } of logIds) this.#set(index, term);
  }

  /** Entries from `since` on are gone for good. */
  truncate(since: number): void {
    for (let index = this.#lastIndex; index >= since; index -= 1) this.#terms.delete(index);
    this.#lastIndex = Math.min(this.#lastIndex, since - 1);
  }

  /** Entries up to `upto` may be gone; those that are not are the same. A log that ends before begins anew after it. */
  purge(upto: number): void {
    this.#lastIndex = Math.max(this.#lastIndex, upto);
  }

  /** True when the storage was asked to hold this entry. */
  has({ term, index }: LogId): boolean {
    return this.#terms.get(index) === term;
  }

  #set(index: number, term: number): void {
    this.#terms.set(index, term);
    this.#lastIndex = Math.max(this.#lastIndex, index);
  }
}
