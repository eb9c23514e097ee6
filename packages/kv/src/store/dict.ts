import { halfSipHash } from "./half-sip-hash.js";
import { Shard } from "./shard.js";
import type { Value } from "./value.js";

/** A shard that has more keys, or more bytes of records, is split. */
const MAX_SHARD_KEYS = 3200;
const MAX_SHARD_BYTES = 524_288;
/** No shard is split further: so many keys whose hashes begin alike would be equal in the rest too. */
const MAX_DEPTH = 24;

/** Once there is a key where there were so many, what is left is gathered in fewer shards: empty ones take time to walk, and memory. */
const GATHER_SHARE = 64;

/** How many keys are looked ahead at together. */
export const MOST_AHEAD = 64;
/** With fewer keys it is not worth it. */
const WORTH_LOOKING = 16_384;
const NONE: readonly Uint8Array[] = [];

/** The key of the hash, two 32-bit integers. */
export interface HashSeed {
  readonly k0: number;
  readonly k1: number;
}

/**
 * A map from bytes to values, in the order of (hash, key): an order that depends on the keys and the seed alone, never on how the map
 * came to hold them. Any number of keys; a write costs the same however many there are, and so does {@link capture}, nearly.
 *
 * {@link find} moves a cursor, which the other methods read and change: so nothing is looked up twice, and nothing is allocated.
 */
export class Dict {
  readonly seed: HashSeed;
  /** By the leading bits of the hash; a shard that fewer bits tell apart stands in several neighbouring places. */
  #directory: Shard[];
  #bits = 0;
  #size = 0;
  /** The most keys that there were since shards were gathered. */
  #peak = 0;
  #shard: Shard;
  #slot = -1;
  #hash = 0;
  readonly #hashes = new Uint32Array(MOST_AHEAD);
  readonly #guesses = new Uint32Array(MOST_AHEAD + 1);
  #ahead: readonly Uint8Array[] = NONE;
  #nextAhead = 0;
  #endAhead = 0;

  constructor(seed: HashSeed) {
    this.seed = seed;
    this.#shard = new Shard(0);
    this.#directory = [this.#shard];
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Brings what {@link find} needs for these keys near to the processor: from afar it takes longer than all the rest of a command, but what is
   * asked for together comes together. Changes nothing. At most {@link MOST_AHEAD} of them; until the next call the hashes of these arrays are
   * known, so they must not change.
   */
  lookAhead(keys: readonly Uint8Array[]): void {
    // Few keys are near anyway.
    const count = this.#size < WORTH_LOOKING ? 0 : Math.min(keys.length, MOST_AHEAD);
    const { k0, k1 } = this.seed;
    const hashes = this.#hashes;
    for (let i = 0; i < count; i++) hashes[i] = halfSipHash(keys[i] as Uint8Array, k0, k1);
    // Short loops that do not depend on each other's results: the processor waits for several at once.
    const guesses = this.#guesses;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number;
      guesses[i] = this.#shardOf(hash).guess(hash);
    }
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= this.#shardOf(hashes[i] as number).touch(guesses[i] as number);
    // Kept, so that no compiler leaves it out.
    guesses[MOST_AHEAD] = touched;
    this.#ahead = count === 0 ? NONE : keys;
    this.#nextAhead = 0;
    this.#endAhead = count;
  }

  /** Moves the cursor to `key`, or to where it would stand. @returns whether it is there. */
  find(key: Uint8Array): boolean {
    const hash = this.#hashOf(key);
    const shard = this.#shardOf(hash);
    this.#hash = hash;
    this.#shard = shard;
    this.#slot = shard.find(hash, key);
    return this.#slot >= 0;
  }

  #hashOf(key: Uint8Array): number {
    const end = this.#endAhead;
    // The next of those that were looked ahead at, the one before it once more, or the one behind it, where one was not needed.
    for (let at = Math.max(0, this.#nextAhead - 1), upto = Math.min(end, at + 3); at < upto; at++) {
      if (this.#ahead[at] !== key) continue;
      this.#nextAhead = at + 1;
      return this.#hashes[at] as number;
    }
    return halfSipHash(key, this.seed.k0, this.seed.k1);
  }

  /** The shard of the cursor. Not to be changed by others. */
  get shard(): Shard {
    return this.#shard;
  }

  /** The slot of the cursor in its shard, below 0 where the key is not there. */
  get slot(): number {
    return this.#slot;
  }

  /** The hash of the cursor's key. */
  get hash(): number {
    return this.#hash;
  }

  /** The shard of the cursor, made fit to be changed. The slot stays. */
  writable(): Shard {
    if (this.#shard.shared > 0) {
      const copy = this.#shard.clone();
      this.#replace(this.#shard, [copy]);
      this.#shard = copy;
    }
    return this.#shard;
  }

  /** Sets what `key`, at which the cursor stands, holds. See `Shard.put`. The cursor is nowhere afterwards. */
  put(key: Uint8Array, value: Value, version = 0, deadline = 0): void {
    const shard = this.writable();
    if (this.#slot < 0) {
      this.#size += 1;
      if (this.#size > this.#peak) this.#peak = this.#size;
    }
    shard.put(this.#slot, this.#hash, key, value, version, deadline);
    this.#slot = -1;
    let crowded = shard;
    while (isCrowded(crowded)) {
      const halves = crowded.split();
      this.#replace(crowded, halves);
      crowded = isCrowded(halves[0]) ? halves[0] : halves[1];
    }
  }

  /** Removes the key at which the cursor stands. */
  remove(): void {
    this.writable().remove(this.#slot);
    this.#size -= 1;
    this.#slot = -1;
    if (this.#bits > 0 && this.#size * GATHER_SHARE <= this.#peak) this.#gather();
  }

  /** Moves the cursor to the first key whose hash is `hash` or higher. @returns whether there is one. */
  seek(hash: number): boolean {
    if (hash > 0xffff_ffff) return false;
    const shard = this.#shardOf(hash);
    const slot = shard.firstFrom(hash);
    return slot >= 0 ? this.#stand(shard, slot) : this.#standBehind(hash);
  }

  /** Moves the cursor to the next key in order. @returns whether there is one. */
  next(): boolean {
    const slot = this.#shard.next(this.#slot + 2);
    return slot >= 0 ? this.#stand(this.#shard, slot) : this.#standBehind(this.#hash);
  }

  /** Moves the cursor to the key that has `rank` keys before it, of which there must be more than `rank`. */
  seekRank(rank: number): void {
    let left = rank;
    for (const shard of this.shards()) {
      if (left < shard.count) {
        this.#stand(shard, shard.at(left));
        return;
      }
      left -= shard.count;
    }
  }

  /** The shards in the order of their hashes. */
  *shards(): Generator<Shard> {
    for (let at = 0; at < this.#directory.length; at += this.#width(at)) yield this.#directory[at] as Shard;
  }

  /** The shards of this moment, none of which changes until it is released (`shared -= 1`). */
  capture(): Shard[] {
    const shards = [...this.shards()];
    for (const shard of shards) shard.shared += 1;
    return shards;
  }

  /** A map of the same content. Neither sees what is written to the other from now on. */
  fork(): Dict {
    const copy = new Dict(this.seed);
    // Nobody tells when the one or the other is gone, so neither may ever change these in place.
    this.capture();
    copy.#directory = this.#directory.slice();
    copy.#bits = this.#bits;
    copy.#size = this.#size;
    copy.#peak = this.#peak;
    return copy;
  }

  /** Puts what is left into new shards. Who has captured the old ones keeps them. */
  #gather(): void {
    const gathered = new Dict(this.seed);
    for (const shard of this.shards()) {
      for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) {
        const key = shard.key(slot);
        const value = shard.value(slot);
        gathered.find(key);
        gathered.put(key, value, shard.version(slot), shard.deadline(slot));
        // What a capture can see is owned by nobody from now on, so that it is copied before it is changed.
        if (value instanceof Uint8Array || value.owner !== shard || shard.shared > 0) continue;
        gathered.find(key);
        value.owner = gathered.#shard;
      }
    }
    this.#directory = gathered.#directory;
    this.#bits = gathered.#bits;
    this.#shard = gathered.#shard;
    this.#peak = this.#size;
  }

  /** Moves the cursor to the first key behind the shard of `hash`. */
  #standBehind(hash: number): boolean {
    let at = this.#indexOf(hash);
    at -= at % this.#width(at);
    for (at += this.#width(at); at < this.#directory.length; at += this.#width(at)) {
      const shard = this.#directory[at] as Shard;
      const slot = shard.next(0);
      if (slot >= 0) return this.#stand(shard, slot);
    }
    return false;
  }

  #stand(shard: Shard, slot: number): true {
    this.#shard = shard;
    this.#slot = slot;
    this.#hash = shard.hash(slot);
    return true;
  }

  #indexOf(hash: number): number {
    // A shift by 32 is none, so the first bit goes beforehand.
    return (hash >>> 1) >>> (31 - this.#bits);
  }

  #shardOf(hash: number): Shard {
    return this.#directory[this.#indexOf(hash)] as Shard;
  }

  /** In how many places the shard at `index` stands. */
  #width(index: number): number {
    return 2 ** (this.#bits - (this.#directory[index] as Shard).depth);
  }

  /** Puts one shard, or two halves, in the place of `old`. */
  #replace(old: Shard, shards: readonly [Shard] | readonly [Shard, Shard]): void {
    const depth = shards[0].depth;
    if (depth > this.#bits) {
      this.#directory = this.#directory.flatMap((shard) => [shard, shard]);
      this.#bits += 1;
    }
    const first = this.#directory.indexOf(old);
    const width = 2 ** (this.#bits - depth);
    for (const [i, shard] of shards.entries()) {
      this.#directory.fill(shard, first + i * width, first + (i + 1) * width);
    }
  }
}

function isCrowded(shard: Shard): boolean {
  const { count, liveBytes } = shard;
  return (count > MAX_SHARD_KEYS || (liveBytes > MAX_SHARD_BYTES && count > 1)) && shard.depth < MAX_DEPTH;
}
