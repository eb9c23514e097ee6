import type { Identified, LogChunk, LogPart, SlotTerm } from "./log-chunk.js";
import { termOf } from "./log-chunk.js";
import type { Packing } from "./packable.js";
import { unpack } from "./packable.js";
import { PackedBytes } from "./packed-bytes.js";

/** More entries than this that are not packed stay where they are: objects of their own they are anyway. */
const MOST_KEPT = 256;

/**
 * Many consecutive entries of a log in two pieces of memory. A long log in small chunks has hundreds of thousands of objects, all of which every full
 * collection of garbage visits; in blocks it has hundreds.
 */
export class LogBlock<E extends Identified> implements LogPart<E> {
  readonly start: number;
  readonly slots: number;
  readonly #terms: readonly SlotTerm[];
  /** The entries that are not packed, by slot: a blank one now and then, or a membership. */
  readonly #kept: Map<number, E>;
  readonly #bytes: PackedBytes;
  readonly #packing: Packing;

  private constructor(
    { start, slots, length }: { readonly start: number; readonly slots: number; readonly length: number },
    terms: readonly SlotTerm[],
    kept: Map<number, E>,
    bytes: PackedBytes,
    packing: Packing,
  ) {
    this.start = start;
    this.slots = slots * length;
    this.#terms = terms;
    this.#kept = kept;
    this.#bytes = bytes;
    this.#packing = packing;
  }

  /** Consecutive chunks as one block; null where it would gain nothing, because too little of them is packed, or not all alike. */
  static of<E extends Identified>(chunks: readonly LogChunk<E>[]): LogBlock<E> | null {
    const [first] = chunks as [LogChunk<E>];
    const packed = chunks.map((chunk) => chunk.packed);
    const packing = packed.find((part) => part !== null)?.packing;
    if (packing === undefined || packed.some((part) => part !== null && part.packing !== packing))
      return null;
    const kept = new Map<number, E>();
    const terms: SlotTerm[] = [];
    for (const [i, chunk] of chunks.entries()) {
      const offset = i * first.slots;
      for (const [slot, entry] of chunk.keptEntries()) kept.set(offset + slot, entry);
      if (kept.size > MOST_KEPT) return null;
      for (const { slot, term } of chunk.terms)
        if (terms.at(-1)?.term !== term) terms.push({ slot: offset + slot, term });
    }
    const bytes = PackedBytes.joined(
      packed.map((part) => part?.bytes ?? null),
      first.slots,
    );
    return new LogBlock(
      { start: first.start, slots: first.slots, length: chunks.length },
      terms,
      kept,
      bytes,
      packing,
    );
  }

  get(slot: number): E {
    const kept = this.#kept.size === 0 ? undefined : this.#kept.get(slot);
    if (kept !== undefined) return kept;
    const bytes = this.#bytes.get(slot);
    return unpack(this.termAt(slot), this.start + slot, this.#packing, bytes) as unknown as E;
  }

  termAt(slot: number): number {
    return termOf(this.#terms, slot);
  }

  /** Packed entries go with the whole block. */
  release(from: number, upto: number): void {
    for (const slot of this.#kept.keys()) if (slot >= from && slot <= upto) this.#kept.delete(slot);
  }
}
