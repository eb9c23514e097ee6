/**
 * The clients whose writes are in the log and not yet applied, addressed by log index: a ring, so that neither
 * accepting nor settling a write allocates. `W` is a client that waits.
 */
export class PendingWrites<W> {
  #ring: (W | undefined)[] = new Array<W | undefined>(64);
  /** Every slot from `#first` to before `#end` belongs to the index it is found by. */
  #first = 0;
  #end = 0;

  /** True when nobody waits. */
  get isEmpty(): boolean {
    return this.#first === this.#end;
  }

  /** Notes that `writes` became the entries from index `firstIndex` on, which follow all accepted before. */
  accept(firstIndex: number, writes: readonly W[]): void {
    if (this.#first === this.#end) this.#first = firstIndex;
    const end = firstIndex + writes.length;
    if (end - this.#first > this.#ring.length) this.#grow(end - this.#first);
    const mask = this.#ring.length - 1;
    for (let i = 0; i < writes.length; i++) this.#ring[(firstIndex + i) & mask] = writes[i];
    this.#end = end;
  }

  /** Takes out whoever waits for the entry at `index`, which is applied now. Indexes rise from call to call. */
  take(index: number): W | undefined {
    if (index < this.#first || index >= this.#end) return undefined;
    const slot = index & (this.#ring.length - 1);
    const write = this.#ring[slot];
    this.#ring[slot] = undefined;
    this.#first = index + 1;
    return write;
  }

  /** Takes out everybody who waits for an entry from `since` on. */
  takeSince(since: number): W[] {
    const taken: W[] = [];
    for (let index = Math.max(since, this.#first); index < this.#end; index++) {
      const slot = index & (this.#ring.length - 1);
      const write = this.#ring[slot];
      if (write !== undefined) taken.push(write);
      this.#ring[slot] = undefined;
    }
    this.#end = Math.max(this.#first, Math.min(this.#end, since));
    return taken;
  }

  #grow(needed: number): void {
    let size = this.#ring.length;
    while (size < needed) size *= 2;
    const ring = new Array<W | undefined>(size);
    for (let index = this.#first; index < this.#end; index++) {
      ring[index & (size - 1)] = this.#ring[index & (this.#ring.length - 1)];
    }
    this.#ring = ring;
  }
}
