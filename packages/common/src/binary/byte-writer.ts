import { checkInteger } from "../check.js";
import { InvalidValueError } from "../errors.js";

/**
 * Builds a byte string, growing as needed. Integers are big-endian; one that does not fit its width is
 * an {@link InvalidValueError}, never wrapped.
 */
export class ByteWriter {
  // No DataView over it: that alone would move a short one out of the heap, which takes longer than to write it.
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacity bytes to reserve at first. */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(checkInteger("capacity", capacity, 0));
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /** Writes an integer of up to 2^8 - 1 in 1 byte. */
  u8(value: number): this {
    if (value !== (value & 0xff)) throw new InvalidValueError("u8", value, "an integer from 0 to 2^8 - 1");
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  /** Writes an integer of up to 2^32 - 1 in 4 bytes. */
  u32(value: number): this {
    if (value !== value >>> 0) throw new InvalidValueError("u32", value, "an integer from 0 to 2^32 - 1");
    this.#put(this.#reserve(4), value);
    return this;
  }

  /** Writes an integer of up to 2^53 - 1 in 8 bytes. */
  u64(value: number): this {
    checkInteger("u64", value, 0);
    const at = this.#reserve(8);
    this.#put(at, Math.floor(value / 0x1_0000_0000));
    this.#put(at + 4, value >>> 0);
    return this;
  }

  /** Writes bytes as they are. */
  raw(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Writes a u32 length, then the bytes: at most 2^32 - 1 of them. */
  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  /**
   * Takes back everything from byte `length` on.
   *
   * @throws {InvalidValueError} when less than that was written.
   */
  cut(length: number): void {
    checkInteger("length", length, 0);
    if (length > this.#length) throw new InvalidValueError("length", length, `at most ${this.#length}`);
    this.#length = length;
  }

  /**
   * Writes a u32 over 4 bytes that were written before, as for a length that is known only once what it counts stands there.
   *
   * @throws {InvalidValueError} when they were not.
   */
  patchU32(at: number, value: number): this {
    if (value !== value >>> 0) throw new InvalidValueError("u32", value, "an integer from 0 to 2^32 - 1");
    if (checkInteger("at", at, 0) + 4 > this.#length) {
      throw new InvalidValueError("at", at, `at most ${this.#length - 4}`);
    }
    this.#put(at, value);
    return this;
  }

  /** What has been written from byte `from` on, not copied: it is to be looked at before anything else is written. */
  written(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }

  /** A copy of what has been written, of exactly its length. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #put(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  #reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }
}
