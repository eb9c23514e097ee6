import { checkInteger } from "../check.js";
import { CodecError } from "../errors.js";

/**
 * Reads a byte string strictly: whatever is missing, too large or left over is a {@link CodecError}
 * that names the format and the offset, and nothing is allocated on the word of a length field.
 * Integers are big-endian, as `ByteWriter` writes them.
 */
export class ByteReader {
  readonly #format: string;
  readonly #bytes: Uint8Array;
  #offset = 0;

  /** @param format what is being read, for errors. */
  constructor(format: string, bytes: Uint8Array) {
    this.#format = format;
    // A plain view: `slice` of a Node.js Buffer would share memory where a Uint8Array's copies. No view is made that is not needed, and no DataView:
    // most of what is read is short, and to make them takes longer than to read it.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Reads 1 byte as an integer. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Reads 4 bytes as an integer. */
  u32(): number {
    return readU32(this.#bytes, this.#take(4));
  }

  /** Reads 8 bytes as an integer of up to 2^53 - 1. */
  u64(): number {
    const at = this.#take(8);
    const high = readU32(this.#bytes, at);
    if (high > 0x1f_ffff) {
      this.#offset = at;
      throw this.error("an integer past 2^53 - 1");
    }
    return high * 0x1_0000_0000 + readU32(this.#bytes, at + 4);
  }

  /**
   * Reads `length` bytes as a copy.
   *
   * @throws {InvalidValueError} when `length` is no count of bytes.
   */
  raw(length: number): Uint8Array {
    const at = this.#take(checkInteger("length", length, 0));
    return this.#bytes.slice(at, at + length);
  }

  /**
   * Reads `length` bytes as a view of what is being read.
   *
   * @throws {InvalidValueError} when `length` is no count of bytes.
   */
  view(length: number): Uint8Array {
    const at = this.#take(checkInteger("length", length, 0));
    return this.#bytes.subarray(at, at + length);
  }

  /** Reads a u32 length, then that many bytes as a copy. */
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  /** Checks that everything has been read. */
  end(): void {
    if (this.remaining > 0) throw this.error(`${this.remaining} bytes too many`);
  }

  /** An error at the current offset, for the caller to throw. */
  error(problem: string): CodecError {
    return new CodecError(this.#format, this.#offset, problem);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count > this.remaining) throw this.error(`${count} bytes expected, ${this.remaining} left`);
    this.#offset = at + count;
    return at;
  }
}

/** The integer in the 4 bytes from `at` on, which are there. */
export function readU32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
