import { view } from "./byte-input.js";

const BLOCK_BYTES = 32 * 1024;
const MOST_BLOCK_BYTES = 512 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * The rests of blocks, handed from writer to writer: one that has nothing to say holds no memory. As many as writers have something to
 * say at the same time, up to a bound.
 */
const spares: Uint8Array[] = [];
const MOST_SPARES = 128;
/** A smaller rest is let go. */
const LEAST_SPARE_BYTES = 256;

/**
 * Memory to write into, growing with what is written. Bytes that were taken are never written again, so they may be on their way to
 * a socket while the rest of their block is filled.
 */
export class OutputBlocks {
  /** The block being filled, and how far; for fast paths outside. Its rest may be written after `reserve`. */
  block: Uint8Array = EMPTY;
  at = 0;
  #start = 0;
  #blockBytes = BLOCK_BYTES;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  /** Makes room for `bytes` in one piece. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.block.length) return;
    this.#endPart();
    const spare = this.block.length === 0 ? spares.pop() : undefined;
    if (spare !== undefined && spare.length >= bytes) {
      this.block = spare;
    } else {
      if (spare !== undefined) spares.push(spare);
      this.block = new Uint8Array(Math.max(bytes, this.#blockBytes));
      // Each further block within one pipeline is larger, so that a long one has few parts.
      this.#blockBytes = Math.min(this.#blockBytes * 2, MOST_BLOCK_BYTES);
    }
    this.#start = 0;
    this.at = 0;
  }

  /** Adds bytes without copying them. */
  append(bytes: Uint8Array): void {
    this.#endPart();
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  get length(): number {
    return this.#partBytes + this.at - this.#start;
  }

  take(): Uint8Array[] {
    this.#endPart();
    const parts = this.#parts;
    if (parts.length > 0) this.#parts = [];
    this.#partBytes = 0;
    this.#blockBytes = BLOCK_BYTES;
    const rest = this.block.length - this.at;
    if (rest >= LEAST_SPARE_BYTES && rest <= BLOCK_BYTES && spares.length < MOST_SPARES) {
      spares.push(view(this.block, this.at, rest));
    }
    this.block = EMPTY;
    this.at = 0;
    this.#start = 0;
    return parts;
  }

  #endPart(): void {
    const length = this.at - this.#start;
    if (length === 0) return;
    this.#parts.push(view(this.block, this.#start, length));
    this.#partBytes += length;
    this.#start = this.at;
  }
}
