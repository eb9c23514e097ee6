/**
 * Byte strings one after another in one piece of memory, addressed by slot. A million small byte strings of their own cost the garbage
 * collector a million visits and several times their size; these cost one visit, and what they are.
 *
 * Slots are filled from 0 on, without a gap; a slot may also stand for nothing.
 */
export class PackedBytes {
  /** Where each slot ends; it begins where the one before it ends. */
  readonly #ends: Uint32Array;
  #bytes: Uint8Array = new Uint8Array(0);

  /** @param slots how many there are at most. */
  constructor(slots: number) {
    this.#ends = new Uint32Array(slots);
  }

  /** Several of them as one: `slots` of each after another, in a piece of memory that just fits. Null stands for one without contents. */
  static joined(parts: readonly (PackedBytes | null)[], slots: number): PackedBytes {
    const joined = new PackedBytes(parts.length * slots);
    let size = 0;
    for (const part of parts) if (part !== null) size += part.#start(slots);
    joined.#bytes = new Uint8Array(size);
    let end = 0;
    for (const [i, part] of parts.entries()) {
      const start = end;
      for (let slot = 0; slot < slots; slot += 1) {
        end = start + (part === null ? 0 : (part.#ends[slot] as number));
        joined.#ends[i * slots + slot] = end;
      }
      if (part !== null) joined.#bytes.set(part.#bytes.subarray(0, end - start), start);
    }
    return joined;
  }

  /** Bytes of memory that the contents take, used or not. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Fills `slot` with a copy of `content`, or with nothing. The slots before it are filled. */
  set(slot: number, content: Uint8Array | null): void {
    const start = this.#start(slot);
    if (content === null) {
      this.#ends[slot] = start;
      return;
    }
    const end = start + content.length;
    if (end > this.#bytes.length) this.#grow(start, this.#capacityFor(slot, end));
    this.#bytes.set(content, start);
    this.#ends[slot] = end;
  }

  /** A copy of what `slot` holds: whoever keeps it keeps nothing else alive. */
  get(slot: number): Uint8Array {
    return this.#bytes.slice(this.#start(slot), this.#ends[slot]);
  }

  #start(slot: number): number {
    return slot === 0 ? 0 : (this.#ends[slot - 1] as number);
  }

  /** Room for the slots that are left, as if they were like those before: then mostly it is enough, and little of it is left over. */
  #capacityFor(slot: number, end: number): number {
    const expected = Math.ceil((end / (slot + 1)) * this.#ends.length);
    const least = Math.min(expected, 2 * end);
    return slot === this.#ends.length - 1 ? end : Math.max(end, least);
  }

  #grow(used: number, capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.#bytes.subarray(0, used));
    this.#bytes = bytes;
  }
}
