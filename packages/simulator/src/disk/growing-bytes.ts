/** Bytes that can be overwritten, extended and cut. */
export class GrowingBytes {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of up to `length` bytes from `offset` on. */
  slice(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, Math.min(this.#length, offset + length));
  }

  /** Writes at `offset`; between the end and there come zeros. */
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    this.#reserve(end);
    this.#bytes.set(bytes, offset);
    this.#length = Math.max(this.#length, end);
  }

  /** Cuts what is after `length`. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    // What is written past the end later leaves zeros in between.
    this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  /** Changes one byte. */
  flip(offset: number, mask: number): void {
    if (offset < this.#length) this.#bytes[offset] = (this.#bytes[offset] as number) ^ mask;
  }

  /** Becomes equal to `other`. */
  copyFrom(other: GrowingBytes): void {
    this.#bytes = other.#bytes.slice(0, other.#length);
    this.#length = other.#length;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length, this.#bytes.length * 4, 128));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
