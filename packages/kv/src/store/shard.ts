import type { OutsideValue, Value } from "./value.js";
import {
  FLAG_DEADLINE,
  FLAG_LONG_KEY,
  FLAG_OUTSIDE,
  FLAG_VERSION,
  OUTSIDE_BYTES,
  flagsFor,
  headBytes,
  readU16,
  readU32,
  readU48,
  recordBytes,
  writeU16,
  writeU32,
  writeU48,
} from "./record.js";

/** Below this length a loop beats a call. */
const SHORT_BYTES = 64;
/** Bytes that come from memory together, on nearly every machine. */
const CACHE_LINE = 64;
/** How full a table may be. */
const MAX_LOAD = 0.8;

/**
 * A part of a dictionary: the keys whose hashes begin with the same bits.
 *
 * The table keeps pairs (hash, place of the record) in the order of (hash, key), with gaps: a key stands at the place that its
 * hash asks for, or behind it after no gap. So a key is found in a few steps, and to walk the table is to walk the keys in an order
 * that depends on nothing but the keys. Records stand in one arena of bytes: a key costs no object and nothing to the garbage collector.
 *
 * A place in the table is called a slot. It holds until the next write to the shard.
 */
export class Shard {
  /** How many leading bits all hashes here have in common. */
  readonly depth: number;
  /** How many captures can see this shard. While there are any, it must not be changed. */
  shared = 0;
  #count = 0;
  /** How many pairs there is room for before the table is crowded; behind them is some room for what is pushed off the end. */
  #capacity = 0;
  /** `#capacity` by 2^32. */
  #scale = 0;
  /** hash, 1 + place in the arena by 4; the latter is 0 where there is none. The last pair stays empty. */
  #table: Uint32Array;
  #arena: Uint8Array;
  #used = 0;
  /** How many used bytes belong to records that are no more. */
  #garbage = 0;
  #outside: (OutsideValue | null)[] = [];
  #freeOutside: number[] = [];

  constructor(depth: number, keys = 0, arenaBytes = 0) {
    this.depth = depth;
    this.#table = this.#newTable(keys);
    this.#arena = new Uint8Array(arenaBytes);
  }

  get count(): number {
    return this.#count;
  }

  /** How many bytes its records take. */
  get liveBytes(): number {
    return this.#used - this.#garbage;
  }

  /** How many bytes its arena has, used and unused. */
  get arenaBytes(): number {
    return this.#arena.length;
  }

  /** How many places there are for what stands outside, used and unused. */
  get outsidePlaces(): number {
    return this.#outside.length;
  }

  /** A copy that can be changed while captures see this one. What stands outside is shared, and keeps its owner. */
  clone(): Shard {
    const copy = new Shard(this.depth);
    copy.#count = this.#count;
    copy.#capacity = this.#capacity;
    copy.#scale = this.#scale;
    copy.#table = this.#table.slice();
    copy.#arena = this.#arena.slice(0, this.#used);
    copy.#used = this.#used;
    copy.#garbage = this.#garbage;
    copy.#outside = this.#outside.slice();
    copy.#freeOutside = this.#freeOutside.slice();
    return copy;
  }

  /** @returns the slot of the key; or, when it is not there, the complement (`~`) of the slot where it belongs. */
  find(hash: number, key: Uint8Array): number {
    const table = this.#table;
    let slot = this.#home(hash) * 2;
    for (;;) {
      const place = table[slot + 1] as number;
      if (place === 0) return ~slot;
      const other = table[slot] as number;
      if (other >= hash) {
        if (other > hash) return ~slot;
        const order = this.#compareKey((place - 1) * 4, key);
        if (order === 0) return slot;
        if (order > 0) return ~slot;
      }
      slot += 2;
    }
  }

  /** Where the record stands, roughly, that a key of this hash has: see {@link touch}. */
  guess(hash: number): number {
    return this.#table[this.#home(hash) * 2 + 1] as number;
  }

  /** Looks at what stands at a guess, so that it is near when it is needed. @returns something, so that it is not left out. */
  touch(guess: number): number {
    if (guess === 0) return 0;
    const at = (guess - 1) * 4;
    const arena = this.#arena;
    return (arena[at] as number) + (arena[Math.min(at + CACHE_LINE, arena.length - 1)] as number);
  }

  /** The first slot at or behind `slot` that holds a key, or -1. */
  next(slot: number): number {
    const table = this.#table;
    for (let at = slot; at < table.length; at += 2) if (table[at + 1] !== 0) return at;
    return -1;
  }

  /** The first slot whose hash is `hash` or higher, or -1. */
  firstFrom(hash: number): number {
    const table = this.#table;
    let slot = this.#home(hash) * 2;
    while (slot < table.length && (table[slot + 1] === 0 || (table[slot] as number) < hash)) slot += 2;
    return slot < table.length ? slot : -1;
  }

  /** The slot of the key that has `rank` keys before it. */
  at(rank: number): number {
    let slot = this.next(0);
    for (let left = rank; left > 0; left--) slot = this.next(slot + 2);
    return slot;
  }

  hash(slot: number): number {
    return this.#table[slot] as number;
  }

  /** A copy of the key. */
  key(slot: number): Uint8Array {
    const record = this.#record(slot);
    const start = record + headBytes(this.#arena[record] as number);
    return this.#copy(start, this.#keyBytes(record));
  }

  keyBytes(slot: number): number {
    return this.#keyBytes(this.#record(slot));
  }

  version(slot: number): number {
    const record = this.#record(slot);
    const flags = this.#arena[record] as number;
    return flags & FLAG_VERSION ? readU48(this.#arena, record + (flags & FLAG_OUTSIDE ? 6 : 4)) : 0;
  }

  deadline(slot: number): number {
    const record = this.#record(slot);
    const flags = this.#arena[record] as number;
    if ((flags & FLAG_DEADLINE) === 0) return 0;
    return readU48(this.#arena, record + (flags & FLAG_OUTSIDE ? 6 : 4) + (flags & FLAG_VERSION ? 6 : 0));
  }

  /** What stands outside at `slot`, or null when the value is in the arena. */
  outside(slot: number): OutsideValue | null {
    const record = this.#record(slot);
    if (((this.#arena[record] as number) & FLAG_OUTSIDE) === 0) return null;
    return this.#outside[readU32(this.#arena, record + 2)] as OutsideValue;
  }

  /** Puts another object in the place of the one that stands outside at `slot`. */
  replaceOutside(slot: number, value: OutsideValue): void {
    this.#outside[readU32(this.#arena, this.#record(slot) + 2)] = value;
  }

  /** The value: a copy when it is in the arena, else what stands outside. */
  value(slot: number): Value {
    const record = this.#record(slot);
    const arena = this.#arena;
    const flags = arena[record] as number;
    if (flags & FLAG_OUTSIDE) return this.#outside[readU32(arena, record + 2)] as OutsideValue;
    return this.#copy(record + headBytes(flags) + this.#keyBytes(record), readU16(arena, record + 2));
  }

  /** The length of a value in the arena, which can be read by {@link inlineByte}; or -1 when it stands outside. */
  inlineBytes(slot: number): number {
    const record = this.#record(slot);
    return (this.#arena[record] as number) & FLAG_OUTSIDE ? -1 : readU16(this.#arena, record + 2);
  }

  inlineByte(slot: number, at: number): number {
    const record = this.#record(slot);
    const start = record + headBytes(this.#arena[record] as number) + this.#keyBytes(record);
    return this.#arena[start + at] as number;
  }

  /**
   * Sets what a key holds. Bytes that do not fit into the arena are kept as they are given, and must not change any more.
   *
   * @param slot what {@link find} answered.
   */
  put(slot: number, hash: number, key: Uint8Array, value: Value, version: number, deadline: number): void {
    const inline = value instanceof Uint8Array && value.length < OUTSIDE_BYTES ? value : null;
    const flags = flagsFor(key.length, inline === null, version, deadline);
    const size = recordBytes(flags, key.length, inline === null ? 0 : inline.length);
    let record: number;
    let outsideSlot = -1;
    if (slot < 0) {
      record = this.#allocate(size);
      this.#insert(~slot, hash, key, record);
    } else {
      const old = this.#record(slot);
      if (((this.#arena[old] as number) & FLAG_OUTSIDE) !== 0) outsideSlot = readU32(this.#arena, old + 2);
      const oldSize = this.#recordSize(old);
      if (size === oldSize) {
        record = old;
      } else {
        record = this.#allocate(size);
        this.#garbage += oldSize;
        this.#table[slot + 1] = record / 4 + 1;
      }
    }
    if (inline === null) {
      outsideSlot = this.#keepOutside(outsideSlot, value);
    } else if (outsideSlot >= 0) {
      this.#dropOutside(outsideSlot);
    }
    this.#write(record, flags, key, inline, outsideSlot, version, deadline);
  }

  remove(slot: number): void {
    const record = this.#record(slot);
    if ((this.#arena[record] as number) & FLAG_OUTSIDE) this.#dropOutside(readU32(this.#arena, record + 2));
    this.#garbage += this.#recordSize(record);
    this.#count -= 1;
    const table = this.#table;
    let gap = slot;
    // What follows moves up, unless it stands where it belongs.
    for (let at = slot + 2; table[at + 1] !== 0 && this.#home(table[at] as number) * 2 < at; at += 2) {
      table[gap] = table[at] as number;
      table[gap + 1] = table[at + 1] as number;
      gap = at;
    }
    table[gap + 1] = 0;
  }

  /** Two shards that have the keys of this one between them, by the next bit of the hash. This one is not used any more. */
  split(): [Shard, Shard] {
    const depth = this.depth + 1;
    const counts: [number, number] = [0, 0];
    const sizes: [number, number] = [0, 0];
    const side = (hash: number): 0 | 1 => (hash << this.depth < 0 ? 1 : 0);
    for (let slot = this.next(0); slot >= 0; slot = this.next(slot + 2)) {
      const to = side(this.hash(slot));
      counts[to] += 1;
      sizes[to] += this.#recordSize(this.#record(slot));
    }
    const halves: [Shard, Shard] = [
      new Shard(depth, counts[0], withSlack(sizes[0])),
      new Shard(depth, counts[1], withSlack(sizes[1])),
    ];
    const last: [number, number] = [-2, -2];
    for (let slot = this.next(0); slot >= 0; slot = this.next(slot + 2)) {
      const to = side(this.hash(slot));
      last[to] = halves[to].#take(this, slot, last[to]);
    }
    return halves;
  }

  /** Takes a record over from another shard, behind all that are here. @returns its slot. */
  #take(from: Shard, slot: number, last: number): number {
    const source = from.#record(slot);
    const size = from.#recordSize(source);
    const record = this.#allocate(size);
    copyBytes(from.#arena, source, this.#arena, record, size);
    if ((this.#arena[record] as number) & FLAG_OUTSIDE) {
      const value = from.#outside[readU32(from.#arena, source + 2)] as OutsideValue;
      if (!(value instanceof Uint8Array) && value.owner === from) value.owner = this;
      writeU32(this.#arena, record + 2, this.#keepOutside(-1, value));
    }
    this.#count += 1;
    const hash = from.hash(slot);
    const at = Math.max(this.#home(hash) * 2, last + 2);
    if (at + 2 >= this.#table.length) {
      // The end is crowded: a larger table has room.
      const place = ~this.find(hash, from.key(slot));
      this.#count -= 1;
      this.#insert(place, hash, from.key(slot), record);
      return this.find(hash, from.key(slot));
    }
    this.#table[at] = hash;
    this.#table[at + 1] = record / 4 + 1;
    return at;
  }

  #record(slot: number): number {
    return ((this.#table[slot + 1] as number) - 1) * 4;
  }

  #keyBytes(record: number): number {
    const short = this.#arena[record + 1] as number;
    if (short < 255) return short;
    return readU32(this.#arena, record + headBytes(this.#arena[record] as number) - 4);
  }

  #recordSize(record: number): number {
    const flags = this.#arena[record] as number;
    return recordBytes(
      flags,
      this.#keyBytes(record),
      flags & FLAG_OUTSIDE ? 0 : readU16(this.#arena, record + 2),
    );
  }

  #write(
    record: number,
    flags: number,
    key: Uint8Array,
    inline: Uint8Array | null,
    outsideSlot: number,
    version: number,
    deadline: number,
  ): void {
    const arena = this.#arena;
    arena[record] = flags;
    arena[record + 1] = Math.min(key.length, 255);
    let at = record + 2;
    if (inline === null) {
      writeU32(arena, at, outsideSlot);
      at += 4;
    } else {
      writeU16(arena, at, inline.length);
      at += 2;
    }
    if (flags & FLAG_VERSION) {
      writeU48(arena, at, version);
      at += 6;
    }
    if (flags & FLAG_DEADLINE) {
      writeU48(arena, at, deadline);
      at += 6;
    }
    if (flags & FLAG_LONG_KEY) {
      writeU32(arena, at, key.length);
      at += 4;
    }
    copyBytes(key, 0, arena, at, key.length);
    if (inline !== null) copyBytes(inline, 0, arena, at + key.length, inline.length);
  }

  #compareKey(record: number, key: Uint8Array): number {
    const arena = this.#arena;
    const start = record + headBytes(arena[record] as number);
    const length = this.#keyBytes(record);
    const common = Math.min(length, key.length);
    for (let at = 0; at < common; at++) {
      const difference = (arena[start + at] as number) - (key[at] as number);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  #copy(start: number, length: number): Uint8Array {
    const copy = new Uint8Array(length);
    copyBytes(this.#arena, start, copy, 0, length);
    return copy;
  }

  #home(hash: number): number {
    return Math.floor(((hash << this.depth) >>> 0) * this.#scale);
  }

  #insert(slot: number, hash: number, key: Uint8Array, record: number): void {
    let at = slot;
    let gap = this.#gapFrom(at);
    while (this.#count + 1 > this.#capacity * MAX_LOAD || gap + 2 >= this.#table.length) {
      this.#rebuildTable();
      at = ~this.find(hash, key);
      gap = this.#gapFrom(at);
    }
    const table = this.#table;
    for (let to = gap; to > at; to -= 2) {
      table[to] = table[to - 2] as number;
      table[to + 1] = table[to - 1] as number;
    }
    table[at] = hash;
    table[at + 1] = record / 4 + 1;
    this.#count += 1;
  }

  #gapFrom(slot: number): number {
    const table = this.#table;
    let at = slot;
    while (table[at + 1] !== 0) at += 2;
    return at;
  }

  /** A table that `keys` keys fill to 64 %. */
  #newTable(keys: number): Uint32Array {
    this.#capacity = Math.max(4, Math.ceil(keys / 0.64));
    this.#scale = this.#capacity / 0x1_0000_0000;
    return new Uint32Array(2 * (this.#capacity + 4 + (this.#capacity >>> 5)));
  }

  #rebuildTable(): void {
    const old = this.#table;
    for (let keys = Math.max(this.#count, this.#capacity * 0.64) * 1.28; ; keys *= 1.5) {
      const table = this.#newTable(keys);
      let to = -2;
      for (let at = 0; at < old.length; at += 2) {
        if (old[at + 1] === 0) continue;
        to = Math.max(this.#home(old[at] as number) * 2, to + 2);
        if (to + 2 >= table.length) break;
        table[to] = old[at] as number;
        table[to + 1] = old[at + 1] as number;
      }
      if (to + 2 < table.length) {
        this.#table = table;
        return;
      }
    }
  }

  #allocate(size: number): number {
    if (this.#used + size > this.#arena.length) this.#makeRoom(size);
    const at = this.#used;
    this.#used += size;
    return at;
  }

  /** Moves what lives into a new arena with room for `size` more. */
  #makeRoom(size: number): void {
    const old = this.#arena;
    const arena = new Uint8Array(withSlack(this.liveBytes + size));
    if (this.#garbage === 0) {
      arena.set(old.subarray(0, this.#used));
      this.#arena = arena;
      return;
    }
    let to = 0;
    for (let slot = this.next(0); slot >= 0; slot = this.next(slot + 2)) {
      const from = this.#record(slot);
      const length = this.#recordSize(from);
      copyBytes(old, from, arena, to, length);
      this.#table[slot + 1] = to / 4 + 1;
      to += length;
    }
    this.#arena = arena;
    this.#used = to;
    this.#garbage = 0;
  }

  #keepOutside(slot: number, value: OutsideValue): number {
    const at = slot >= 0 ? slot : (this.#freeOutside.pop() ?? this.#outside.length);
    this.#outside[at] = value;
    return at;
  }

  #dropOutside(slot: number): void {
    this.#outside[slot] = null;
    this.#freeOutside.push(slot);
  }
}

function withSlack(bytes: number): number {
  return Math.ceil((bytes + bytes / 4) / 8) * 8 + 16;
}

function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length > SHORT_BYTES) {
    to.set(from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}
