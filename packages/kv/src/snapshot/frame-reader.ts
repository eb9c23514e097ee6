import { CodecError } from "@seshat/common";
import { ByteReader, crc32 } from "@seshat/common/binary";
import { FORMAT } from "./format.js";

/**
 * Cuts what is pushed to it, in chunks of any lengths, into frames, and checks them. Nothing is reserved on the word of a length: a
 * frame is kept as it comes.
 */
export class FrameReader {
  readonly #take: (payload: ByteReader) => void;
  /** What has come and is not yet taken stands in `#buffer` from `#start` to `#end`. */
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** How many bytes have been taken, from the beginning of the snapshot. */
  #offset = 0;
  #crc = 0;
  #ended = false;

  /** @param take is given each frame but the last, whose checksum was right. It must read all of it before it returns. */
  constructor(take: (payload: ByteReader) => void) {
    this.#take = take;
  }

  /** @throws {CodecError} as soon as the bytes cannot be a snapshot. */
  push(chunk: Uint8Array): void {
    this.#store(chunk);
    while (!this.#ended && this.#takeFrame());
    if (this.#ended && this.#end > this.#start) {
      throw this.error(`${this.#end - this.#start} bytes too many`);
    }
  }

  /** @throws {CodecError} when the last frame has not come. */
  finish(): void {
    if (!this.#ended) throw this.error(`it ends early, with ${this.#end - this.#start} bytes left`);
  }

  #takeFrame(): boolean {
    const held = this.#end - this.#start;
    if (held < 8) return false;
    const view = new DataView(this.#buffer.buffer, this.#start, held);
    const length = view.getUint32(0);
    if (held < length + 8) return false;
    const payload = this.#buffer.subarray(this.#start + 4, this.#start + 4 + length);
    this.#crc = crc32(payload, this.#crc);
    if (view.getUint32(length + 4) !== this.#crc) {
      throw this.error("the checksum does not match: the snapshot is damaged");
    }
    if (length === 0) {
      this.#ended = true;
    } else {
      const reader = new ByteReader(FORMAT, payload);
      this.#take(reader);
      reader.end();
    }
    this.#start += length + 8;
    this.#offset += length + 8;
    return true;
  }

  #store(chunk: Uint8Array): void {
    const held = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      const fits = held + chunk.length <= this.#buffer.length;
      const target = fits
        ? this.#buffer
        : new Uint8Array(Math.max(held + chunk.length, 2 * this.#buffer.length));
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** An error at the current offset, for the caller to throw. */
  error(problem: string): CodecError {
    return new CodecError(FORMAT, this.#offset, problem);
  }
}
