import { LogBlock } from "./log-block.js";
import type { Identified, LogPart } from "./log-chunk.js";
import { LogChunk } from "./log-chunk.js";

/** Entries per chunk: small enough that a short log is cheap, large enough that a long one has few chunks. */
const CHUNK_ENTRIES = 512;

/** Chunks that become one block when the log has grown past them: a long log has few blocks, and one that is purged as usual none. */
const BLOCK_CHUNKS = 32;

const BLOCK_ENTRIES = BLOCK_CHUNKS * CHUNK_ENTRIES;

/** The chunks and blocks of a log: where the entries of an index are. */
export class LogParts<E extends Identified> {
  /** By `Math.floor(index / CHUNK_ENTRIES)`; an index may pass 2^32, so it is never shifted as an integer. */
  readonly #chunks = new Map<number, LogChunk<E>>();
  /** By `Math.floor(index / BLOCK_ENTRIES)`; where there is a block there are no chunks. */
  readonly #blocks = new Map<number, LogBlock<E>>();

  /** Where an entry is that the log holds. */
  at(index: number): LogPart<E> {
    const block = this.#blocks.size === 0 ? undefined : this.#blocks.get(Math.floor(index / BLOCK_ENTRIES));
    return block ?? (this.#chunks.get(Math.floor(index / CHUNK_ENTRIES)) as LogChunk<E>);
  }

  /** The chunk for an entry that is appended. What lies behind it may become a block. */
  chunkFor(index: number): LogChunk<E> {
    const number = Math.floor(index / CHUNK_ENTRIES);
    const found = this.#chunks.get(number);
    if (found !== undefined) return found;
    if (number % BLOCK_CHUNKS === 0) this.#joinBlock(number - BLOCK_CHUNKS);
    const chunk = new LogChunk<E>(number * CHUNK_ENTRIES, CHUNK_ENTRIES);
    this.#chunks.set(number, chunk);
    return chunk;
  }

  /** Makes sure that entries can be appended from `since` on again, which is held and will not be. */
  cut(since: number, purged: number): void {
    this.#splitBlock(since, purged);
    const chunk = this.#chunks.get(Math.floor(since / CHUNK_ENTRIES));
    chunk?.cut(since - chunk.start);
  }

  /** Lets go of the entries from `since` to `upto`, and of each part in which nothing from `first` to `last` is, which the log holds. */
  release(since: number, upto: number, first: number, last: number): void {
    for (let index = since; index <= upto;) {
      const inBlock = this.#blocks.has(Math.floor(index / BLOCK_ENTRIES));
      const parts: Map<number, LogPart<E>> = inBlock ? this.#blocks : this.#chunks;
      const slots = inBlock ? BLOCK_ENTRIES : CHUNK_ENTRIES;
      const number = Math.floor(index / slots);
      const start = number * slots;
      const end = start + slots;
      if (first < end && last >= start)
        parts.get(number)?.release(index - start, Math.min(upto + 1, end) - 1 - start);
      else parts.delete(number);
      index = end;
    }
  }

  /** Makes a block of the chunks from `first` on, where all of them are there: in a log that is purged as usual they are not. */
  #joinBlock(first: number): void {
    const chunks: LogChunk<E>[] = [];
    for (let number = first; number < first + BLOCK_CHUNKS; number++) {
      const chunk = this.#chunks.get(number);
      if (chunk === undefined) return;
      chunks.push(chunk);
    }
    const block = LogBlock.of(chunks);
    if (block === null) return;
    this.#blocks.set(first / BLOCK_CHUNKS, block);
    for (let number = first; number < first + BLOCK_CHUNKS; number++) this.#chunks.delete(number);
  }

  /** Makes chunks again of what is held before index `end` in the block of that index, if there is one: it is to grow again from there. */
  #splitBlock(end: number, purged: number): void {
    const number = Math.floor(end / BLOCK_ENTRIES);
    const block = this.#blocks.get(number);
    if (block === undefined) return;
    this.#blocks.delete(number);
    for (let index = Math.max(block.start, purged + 1); index < end; index++) {
      const chunk = this.chunkFor(index);
      chunk.set(index - chunk.start, block.get(index - block.start));
    }
  }
}
