const CHUNK_BYTES = 65_536;
/** The first chunk grows up to that: most maps in tests and of small applications hold little. */
const FIRST_BYTES = 256;
/** Before each value: its length and the room it has, u16 each. */
const HEADER_BYTES = 4;
/** Larger values stand on their own: beside them what an object costs does not count. */
const MAX_PACKED_BYTES = 4096;
/** Values begin at multiples of this. */
const ALIGNMENT = 4;
/** A place is the number of a chunk, and where in it in units of `ALIGNMENT`: an integer that V8 keeps without an object of its own. */
const CHUNK_UNITS = CHUNK_BYTES / ALIGNMENT;

/**
 * Small byte strings by key, one behind the other in a few large pieces of memory. A `Uint8Array` of its own costs each of them 350 bytes and the
 * collector two visits, and one that is replaced stays in memory until the whole heap is collected; here it is overwritten.
 */
export class PackedValues {
  /** Where each value stands; or the value, if it is large. */
  readonly #places: Map<string, number | Uint8Array>;
  #chunks: Uint8Array[];
  /** For each chunk: true while no copy can see it, so that it may be changed in place. */
  #owned: boolean[];
  /** Where the last chunk ends, as far as it is used. */
  #end: number;
  /** Bytes of chunks that no value stands in any more. */
  #dead: number;

  /** @param source the values to begin with, or none; see {@link copy}. */
  constructor(source?: PackedValues) {
    if (source === undefined) {
      this.#places = new Map();
      this.#chunks = [];
      this.#owned = [];
      this.#end = 0;
      this.#dead = 0;
    } else {
      this.#places = new Map(source.#places);
      this.#chunks = [...source.#chunks];
      this.#owned = this.#chunks.map(() => false);
      this.#end = source.#end;
      this.#dead = source.#dead;
    }
  }

  get size(): number {
    return this.#places.size;
  }

  /** Bytes of memory that small values take, used or not. */
  get capacity(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#places.keys();
  }

  /** The value at `key`, where it stands: to be copied, or looked at before anything is written. */
  get(key: string): Uint8Array | undefined {
    const place = this.#places.get(key);
    if (typeof place !== "number") return place;
    const chunk = this.#chunks[chunkOf(place)] as Uint8Array;
    const at = startOf(place);
    return chunk.subarray(at + HEADER_BYTES, at + HEADER_BYTES + readU16(chunk, at));
  }

  /** Keeps a copy of `value`. */
  set(key: string, value: Uint8Array): void {
    const before = this.#places.get(key);
    if (typeof before === "number" && this.#fits(before, value.length)) {
      const at = startOf(before);
      const chunk = this.#writable(chunkOf(before));
      writeU16(chunk, at, value.length);
      chunk.set(value, at + HEADER_BYTES);
      return;
    }
    if (value.length > MAX_PACKED_BYTES) this.#places.set(key, new Uint8Array(value));
    else this.#places.set(key, this.#append(value));
    this.#free(before);
  }

  /** @returns true when the key was there. */
  delete(key: string): boolean {
    const before = this.#places.get(key);
    if (before === undefined) return false;
    this.#places.delete(key);
    this.#free(before);
    return true;
  }

  /** The same values. Nothing that is done to the copy shows here; nothing may be done here any more. */
  copy(): PackedValues {
    return new PackedValues(this);
  }

  /** Whether a value can take the place of another, without leaving more unused than it takes. */
  #fits(place: number, length: number): boolean {
    const room = readU16(this.#chunks[chunkOf(place)] as Uint8Array, startOf(place) + 2);
    return length <= room && roomFor(length) * 2 >= room;
  }

  #append(value: Uint8Array): number {
    const room = roomFor(value.length);
    const needed = HEADER_BYTES + room;
    let last = this.#chunks.length - 1;
    const length = last < 0 ? 0 : (this.#chunks[last] as Uint8Array).length;
    if (this.#end + needed > length) last = this.#makeRoom(needed);
    const at = this.#end;
    const chunk = this.#writable(last);
    writeU16(chunk, at, value.length);
    writeU16(chunk, at + 2, room);
    chunk.set(value, at + HEADER_BYTES);
    this.#end += needed;
    return last * CHUNK_UNITS + at / ALIGNMENT;
  }

  /** @returns the number of the last chunk, which has room for as many bytes then. */
  #makeRoom(needed: number): number {
    const last = this.#chunks.length - 1;
    if (last === 0 && this.#end + needed <= CHUNK_BYTES) {
      const grown = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(2 * this.#end, this.#end + needed)));
      grown.set((this.#chunks[0] as Uint8Array).subarray(0, this.#end));
      this.#chunks[0] = grown;
      this.#owned[0] = true;
      return last;
    }
    if (last >= 0) this.#dead += CHUNK_BYTES - this.#end;
    this.#end = 0;
    this.#owned.push(true);
    return this.#chunks.push(new Uint8Array(last < 0 ? Math.max(FIRST_BYTES, needed) : CHUNK_BYTES)) - 1;
  }

  #writable(at: number): Uint8Array {
    let chunk = this.#chunks[at] as Uint8Array;
    if (this.#owned[at] !== true) {
      chunk = chunk.slice();
      this.#chunks[at] = chunk;
      this.#owned[at] = true;
    }
    return chunk;
  }

  #free(place: number | Uint8Array | undefined): void {
    if (typeof place !== "number") return;
    this.#dead += HEADER_BYTES + readU16(this.#chunks[chunkOf(place)] as Uint8Array, startOf(place) + 2);
    const all = (this.#chunks.length - 1) * CHUNK_BYTES + this.#end;
    if (this.#dead > all / 2 && all > CHUNK_BYTES) this.#compact();
  }

  /** Moves what is left together. */
  #compact(): void {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#owned = [];
    this.#end = 0;
    this.#dead = 0;
    for (const [key, place] of this.#places) {
      if (typeof place !== "number") continue;
      const chunk = chunks[chunkOf(place)] as Uint8Array;
      const at = startOf(place) + HEADER_BYTES;
      this.#places.set(key, this.#append(chunk.subarray(at, at + readU16(chunk, at - HEADER_BYTES))));
    }
  }
}

function chunkOf(place: number): number {
  return Math.floor(place / CHUNK_UNITS);
}

/** Where a value stands in its chunk. */
function startOf(place: number): number {
  return (place % CHUNK_UNITS) * ALIGNMENT;
}

function roomFor(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
