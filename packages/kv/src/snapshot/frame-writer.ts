import { crc32 } from "@seshat/common/binary";
import { CHUNK_BYTES, FRAME_BYTES } from "./format.js";

/** Collects items into frames. One buffer is used again and again, and grows to the largest item. */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(FRAME_BYTES + 4096);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Behind the place of the length. */
  #at = 4;
  #crc = 0;

  /** True when the frame should go. */
  get isFull(): boolean {
    return this.#at >= FRAME_BYTES;
  }

  get isEmpty(): boolean {
    return this.#at === 4;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value >>> 0);
  }

  f64(value: number): this {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
    return this;
  }

  /** A length, and the bytes. */
  bytes(value: Uint8Array): this {
    this.u32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** The frame, in chunks of their own, and begins another. Of a long one the checksum is counted from chunk to chunk, so that nothing waits for all of it. */
  *take(): Generator<Uint8Array> {
    const payloadEnd = this.#at;
    this.#view.setUint32(0, payloadEnd - 4);
    this.u32(0);
    this.#at = 4;
    const end = payloadEnd + 4;
    let counted = 4;
    for (let at = 0; at < end; at += CHUNK_BYTES) {
      const upto = Math.min(at + CHUNK_BYTES, end);
      const counts = Math.min(upto, payloadEnd);
      if (counts > counted) this.#crc = crc32(this.#bytes.subarray(counted, counts), this.#crc);
      counted = Math.max(counted, counts);
      if (counted === payloadEnd) this.#view.setUint32(payloadEnd, this.#crc);
      yield this.#bytes.slice(at, upto);
    }
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed + 4, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
