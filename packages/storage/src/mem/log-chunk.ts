import type { LogEntry, LogId } from "@seshat/common";
import type { Packing } from "./packable.js";
import { bytesOf, packingOf, unpack } from "./packable.js";
import { PackedBytes } from "./packed-bytes.js";

/** What a log in memory needs to know of an entry. */
export interface Identified {
  readonly logId: LogId;
}

/** Some consecutive entries of a log, by slot. */
export interface LogPart<E extends Identified> {
  /** The index of slot 0. */
  readonly start: number;
  /** How many slots there are. */
  readonly slots: number;
  /** The entry in a slot that holds one. */
  get(slot: number): E;
  /** The term of the entry in a slot that was filled. */
  termAt(slot: number): number;
  /** Lets go of the slots from `from` to `upto`, both inclusive: the log does not hold their entries any more. */
  release(from: number, upto: number): void;
}

/** The entries from a slot on, up to the next range, are of one term. */
export interface SlotTerm {
  readonly slot: number;
  readonly term: number;
}

/** The term at a slot by ranges in ascending order. Mostly there is one. */
export function termOf(terms: readonly SlotTerm[], slot: number): number {
  let i = terms.length - 1;
  while ((terms[i] as SlotTerm).slot > slot) i -= 1;
  return (terms[i] as SlotTerm).term;
}

/**
 * Some consecutive entries of a log: those whose commands are plain bytes packed, all others as they came. Slots are filled in order.
 */
export class LogChunk<E extends Identified> implements LogPart<E> {
  readonly start: number;
  readonly slots: number;
  readonly #terms: SlotTerm[] = [];
  /** The slots that are not packed; null while there is none. */
  #kept: (E | undefined)[] | null = null;
  #packed: PackedBytes | null = null;
  /** How the packed ones were: all of a chunk alike, or they are not packed. */
  #packing: Packing | null = null;

  constructor(start: number, slots: number) {
    this.start = start;
    this.slots = slots;
  }

  /** Fills the next slot. */
  set(slot: number, entry: E): void {
    const { term } = entry.logId;
    if (this.#terms.at(-1)?.term !== term) this.#terms.push({ slot, term });
    const packing = this.#packingOf(entry);
    if (packing !== null) {
      this.#packing = packing;
      this.#packed ??= this.#newPacked(slot);
      this.#packed.set(slot, bytesOf(entry as unknown as LogEntry<unknown, unknown>, packing));
      return;
    }
    this.#packed?.set(slot, null);
    this.#kept ??= new Array<E | undefined>(this.slots).fill(undefined);
    this.#kept[slot] = entry;
  }

  /** Ranges of one term, by the slot that each begins at. */
  get terms(): readonly SlotTerm[] {
    return this.#terms;
  }

  /** What is packed, and how; null when nothing is. */
  get packed(): { readonly bytes: PackedBytes; readonly packing: Packing } | null {
    return this.#packed === null || this.#packing === null
      ? null
      : { bytes: this.#packed, packing: this.#packing };
  }

  /** The entries that are not packed, by slot. */
  keptEntries(): [number, E][] {
    const found: [number, E][] = [];
    for (const [slot, entry] of this.#kept?.entries() ?? [])
      if (entry !== undefined) found.push([slot, entry]);
    return found;
  }

  /** The entry in a slot that was filled, and neither cut nor released since. */
  get(slot: number): E {
    const kept = this.#kept?.[slot];
    if (kept !== undefined) return kept;
    const bytes = (this.#packed as PackedBytes).get(slot);
    return unpack(this.termAt(slot), this.start + slot, this.#packing as Packing, bytes) as unknown as E;
  }

  termAt(slot: number): number {
    return termOf(this.#terms, slot);
  }

  /** Lets go of the slots from `from` to `upto`, both inclusive. Packed ones go with the whole chunk, or when they are filled again. */
  release(from: number, upto: number): void {
    this.#kept?.fill(undefined, from, upto + 1);
  }

  /** Lets go of the slots from `slot` on: they may be filled again. */
  cut(slot: number): void {
    this.release(slot, this.slots - 1);
    while (this.#terms.length > 0 && (this.#terms.at(-1) as { readonly slot: number }).slot >= slot)
      this.#terms.pop();
  }

  #packingOf(entry: E): Packing | null {
    if (!("payload" in entry)) return null;
    const packing = packingOf(entry as unknown as LogEntry<unknown, unknown>);
    return this.#packing === null || this.#packing === packing ? packing : null;
  }

  #newPacked(slot: number): PackedBytes {
    const packed = new PackedBytes(this.slots);
    for (let earlier = 0; earlier < slot; earlier += 1) packed.set(earlier, null);
    return packed;
  }
}
