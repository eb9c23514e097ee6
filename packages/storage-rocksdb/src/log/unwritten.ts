/** Entries that were appended and do not stand in the database yet: so that they can be read when `append` ends. */
export class Unwritten<E> {
  /** What each append brought, in order. */
  readonly #appends: (readonly E[])[] = [];
  #first = 0;

  /** The index of the first entry; null when there is none. */
  get first(): number | null {
    return this.#appends.length === 0 ? null : this.#first;
  }

  push(first: number, entries: readonly E[]): void {
    if (this.#appends.length === 0) this.#first = first;
    this.#appends.push(entries);
  }

  /** The oldest append stands in the database now, or never will. */
  shift(): void {
    const oldest = this.#appends.shift() ?? [];
    this.#first += oldest.length;
  }

  /** Some entries from `since` on, which is one of these, up to `upto`: at least one. */
  read(since: number, upto: number): E[] {
    const found: E[] = [];
    let first = this.#first;
    for (const entries of this.#appends) {
      if (first > upto) break;
      const end = first + entries.length;
      if (end > since) found.push(...entries.slice(Math.max(since - first, 0), upto - first + 1));
      first = end;
    }
    return found;
  }
}
