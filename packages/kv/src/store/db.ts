import type { KvConfig } from "../config.js";
import { DEFAULT_KV_CONFIG } from "../config.js";
import { KEY_TOO_LARGE, WRONG_TYPE } from "../refusal.js";
import { WORK, Work } from "../work.js";
import { Deadlines } from "./deadlines.js";
import type { HashSeed } from "./dict.js";
import { Dict } from "./dict.js";
import { Random } from "./random.js";
import { OUTSIDE_BYTES } from "./record.js";
import type { Shard } from "./shard.js";
import type { Collection, Value, ValueType } from "./value.js";

/** What a key counts for, besides its bytes and those of its value: about what it takes in memory. */
const ENTRY_BYTES = 32;
const DEADLINE_BYTES = 24;

/** Deadlines are kept in 48 bits: later ones, after the year 10889, count as this one. */
export const MAX_DEADLINE: number = 2 ** 48 - 1;

/** What a snapshot is made of: see {@link Db.capture}. */
export interface CapturedDb {
  readonly seed: HashSeed;
  readonly clock: number;
  readonly config: KvConfig;
  readonly size: number;
  /** None of them changes until it is released by `shared -= 1`. */
  readonly shards: Shard[];
}

/**
 * The data, and the time by which it is looked at. A key whose deadline the clock has reached is there for nobody; it is removed a little
 * later, by an entry or by a command that writes to it.
 *
 * Commands read and write by these methods alone. A method that is given a key finds it by itself; {@link value}, {@link deadline} and
 * {@link version} look where the last one, {@link locate}, has found it.
 */
export class Db {
  config: KvConfig = DEFAULT_KV_CONFIG;
  /** The state's time: the latest of all entries, in milliseconds since 1970. */
  clock = 0;
  /** What commands call now: the state's time when an entry is applied, the reader's when it is later. */
  now = 0;
  /** True once a read has seen a deadline that its own time has reached and the state's has not: the answer is not to be had yet. */
  needsTick = false;
  /** What the data counts for against `maxMemoryBytes`: a function of the data alone. */
  usedBytes = 0;
  /** How many keys ended by their deadlines since the state is in memory. Not part of the state. */
  expired = 0;
  readonly random: Random = new Random();
  /** Counts what commands do. */
  readonly work: Work = new Work();
  #dict: Dict;
  readonly #deadlines = new Deadlines();
  /** The index of the entry that is applied, or 0 while reading. */
  #index = 0;

  constructor(seed: HashSeed) {
    this.#dict = new Dict(seed);
  }

  get seed(): HashSeed {
    return this.#dict.seed;
  }

  /** How many keys there are, those included whose deadline the clock has reached and that are not removed yet. */
  get size(): number {
    return this.#dict.size;
  }

  /** Before an entry is applied. */
  beginApply(index: number, timeMs: number): void {
    this.#index = index;
    this.clock = Math.max(this.clock, timeMs);
    this.now = this.clock;
  }

  /** Before something is read by the time `nowMs`. Nothing may be written then. */
  beginRead(nowMs: number): void {
    this.#index = 0;
    this.now = Math.max(this.clock, nowMs);
    this.needsTick = false;
  }

  /** Removes up to `limit` keys whose deadline the clock has reached, the earliest first. @returns how many. */
  reap(limit: number): number {
    let reaped = 0;
    const dict = this.#dict;
    while (reaped < limit && this.#deadlines.first <= this.clock) {
      const { first, firstHash } = this.#deadlines;
      dict.seek(firstHash);
      while (dict.shard.deadline(dict.slot) !== first) dict.next();
      this.#remove();
      this.expired += 1;
      reaped += 1;
    }
    return reaped;
  }

  /** These keys are needed next, in this order; none to forget them. See `Dict.lookAhead`. */
  lookAhead(keys: readonly Uint8Array[]): void {
    this.#dict.lookAhead(keys);
  }

  /** Whether `key` is there. */
  locate(key: Uint8Array): boolean {
    const dict = this.#dict;
    if (!dict.find(key)) return false;
    if (this.#isVisible()) return true;
    if (this.#index > 0) {
      this.#remove();
      this.expired += 1;
      dict.find(key);
    }
    return false;
  }

  /** What the key holds that {@link locate} has found. A string is a copy. Not to be changed: see {@link own}. */
  value(): Value {
    const value = this.view();
    if (!(value instanceof Uint8Array) || value.length < OUTSIDE_BYTES) return value;
    this.work.charge(value.length * WORK.byte);
    return value.slice();
  }

  /** The same, with a string that is not copied where it is long: not to be kept. */
  view(): Value {
    return this.#dict.shard.value(this.#dict.slot);
  }

  /** Its deadline, or 0. */
  deadline(): number {
    return this.#dict.shard.deadline(this.#dict.slot);
  }

  /** The index of the entry that changed it last. */
  version(): number {
    return this.#dict.shard.version(this.#dict.slot);
  }

  type(): ValueType {
    const outside = this.#dict.shard.outside(this.#dict.slot);
    return outside === null || outside instanceof Uint8Array ? "string" : outside.type;
  }

  /** The length of the string that {@link locate} has found. @throws {Refusal} WRONGTYPE. */
  stringBytes(): number {
    const { shard, slot } = this.#dict;
    const inline = shard.inlineBytes(slot);
    if (inline >= 0) return inline;
    const outside = shard.outside(slot);
    if (outside instanceof Uint8Array) return outside.length;
    throw WRONG_TYPE;
  }

  /** A copy of the string at `key`, or null. @throws {Refusal} WRONGTYPE. */
  string(key: Uint8Array): Uint8Array | null {
    return this.locate(key) ? asString(this.value()) : null;
  }

  /** The string at `key`, not to be kept, or null. @throws {Refusal} WRONGTYPE. */
  viewString(key: Uint8Array): Uint8Array | null {
    return this.locate(key) ? asString(this.view()) : null;
  }

  /** The collection of that type at `key` to read from, or null. @throws {Refusal} WRONGTYPE. */
  collection<T extends Collection>(key: Uint8Array, type: T["type"]): T | null {
    if (!this.locate(key)) return null;
    const outside = this.#dict.shard.outside(this.#dict.slot);
    if (outside === null || outside instanceof Uint8Array || outside.type !== type) throw WRONG_TYPE;
    return outside as T;
  }

  /**
   * The collection of that type at `key` to change, or null. {@link changed} has to be called once it was.
   *
   * @throws {Refusal} WRONGTYPE.
   */
  own<T extends Collection>(key: Uint8Array, type: T["type"]): T | null {
    const found = this.collection<T>(key, type);
    if (found === null) return null;
    const shard = this.#dict.writable();
    if (found.owner === shard) return found;
    const forked = found.fork() as T;
    forked.owner = shard;
    shard.replaceOutside(this.#dict.slot, forked);
    return forked;
  }

  /** The collection at `key`, which {@link own} has given, was changed; before, it counted for `usedBytes`. One that is empty goes. */
  changed(key: Uint8Array, collection: Collection, usedBytes: number): void {
    this.#dict.find(key);
    this.usedBytes += collection.usedBytes - usedBytes;
    if (collection.size === 0) this.#remove();
    else this.#dict.put(key, collection, this.#index, this.deadline());
  }

  /** @throws {Refusal} when the key is too large to be a new one. */
  checkKey(key: Uint8Array): void {
    if (key.length > this.config.maxKeyBytes) throw KEY_TOO_LARGE;
  }

  /**
   * Sets what `key` holds, and until when (0: for ever). A deadline that is over already removes the key.
   *
   * @param value a string is copied. A collection may come from another key, which must be gone by the next command.
   * @throws {Refusal} when the key is too large.
   */
  put(key: Uint8Array, value: Value, deadline = 0): void {
    const dict = this.#dict;
    const found = dict.find(key);
    if (!found) this.checkKey(key);
    const until = Math.min(deadline, MAX_DEADLINE);
    if (until > 0 && until <= this.clock) {
      if (found) this.#remove();
      return;
    }
    if (found) this.#forget();
    const kept = value instanceof Uint8Array && value.length >= OUTSIDE_BYTES ? copyOf(value) : value;
    if (!(kept instanceof Uint8Array) && kept.owner !== dict.writable()) kept.owner = null;
    this.usedBytes += costOf(key.length, kept instanceof Uint8Array ? kept.length : kept.usedBytes, until);
    if (until > 0) this.#deadlines.add(until, dict.hash);
    dict.put(key, kept, this.#index, until);
  }

  /** Gives the key another deadline, 0 for none. It must be there; one that is over removes it. */
  setDeadline(key: Uint8Array, deadline: number): void {
    if (!this.#dict.find(key)) return;
    const value = this.view();
    if (value instanceof Uint8Array) this.work.charge(value.length * WORK.byte);
    this.put(key, value, deadline);
  }

  /** Puts a collection that was made for this key, and that nobody else has. */
  create(key: Uint8Array, collection: Collection): void {
    this.put(key, collection);
    if (this.#dict.find(key)) collection.owner = this.#dict.shard;
  }

  /** Removes `key`. @returns whether it was there. */
  delete(key: Uint8Array): boolean {
    if (!this.locate(key)) return false;
    this.#remove();
    return true;
  }

  /** Removes all keys. */
  clear(): void {
    this.#dict = new Dict(this.seed);
    this.#deadlines.clear();
    this.usedBytes = 0;
  }

  /** How many keys there are for whoever looks. */
  countVisible(): number {
    this.work.charge(this.deadlines / 64);
    if (this.#deadlines.countUpto(this.now) === 0) return this.size;
    const dead = this.#deadlines.countUpto(this.clock);
    if (this.#deadlines.countUpto(this.now) > dead) this.needsTick = true;
    return this.size - dead;
  }

  /** How many keys have a deadline. */
  get deadlines(): number {
    return this.#deadlines.size;
  }

  /** The earliest deadline of a key, or Infinity. */
  get firstDeadline(): number {
    return this.#deadlines.first;
  }

  /**
   * Walks the keys in the order of their hashes, which stay the same for as long as the keys exist. {@link value} and the like look at
   * the key that is visited, until something is located.
   *
   * @param from the hash to begin at.
   * @param visit answers whether to go on. Keys of one hash are never torn apart: it is asked after the last of them.
   * @returns the hash to go on at, or 0 at the end.
   */
  walk(from: number, visit: (key: () => Uint8Array, visible: boolean) => boolean): number {
    const dict = this.#dict;
    const key = (): Uint8Array => dict.shard.key(dict.slot);
    let more = true;
    let last = 0;
    for (let there = dict.seek(from); there; there = dict.next()) {
      if (!more && dict.hash !== last) return dict.hash;
      last = dict.hash;
      more = visit(key, this.#isVisible()) && more;
    }
    return 0;
  }

  /** A key of those that are there, each as likely as any other, or null. */
  randomKey(): Uint8Array | null {
    if (this.size === 0) return null;
    // Few keys are over at any time; where many are, take the next one that is not.
    for (let tries = 0; tries < 16; tries++) {
      this.work.charge(WORK.ranked + this.size / 1000);
      this.#dict.seekRank(this.random.below(this.size));
      if (this.#isVisible()) return this.#dict.shard.key(this.#dict.slot);
    }
    let found: Uint8Array | null = null;
    const pick = (key: () => Uint8Array, visible: boolean): boolean => {
      this.work.charge(WORK.key);
      if (visible) found = key();
      return !visible;
    };
    this.walk(this.#dict.hash, pick);
    if (found === null) this.walk(0, pick);
    return found;
  }

  /** The state of this moment. Costs a reference for each shard. */
  capture(): CapturedDb {
    const { seed, clock, config, size } = this;
    return { seed, clock, config, size, shards: this.#dict.capture() };
  }

  /** Adds a key of a snapshot. @param version the index of the entry that changed it last. */
  load(key: Uint8Array, value: Value, version: number, deadline: number): void {
    this.#dict.find(key);
    this.usedBytes += costOf(
      key.length,
      value instanceof Uint8Array ? value.length : value.usedBytes,
      deadline,
    );
    if (deadline > 0) this.#deadlines.add(deadline, this.#dict.hash);
    this.#dict.put(key, value, version, deadline);
    if (!(value instanceof Uint8Array) && this.#dict.find(key)) value.owner = this.#dict.shard;
  }

  /** Whether the key of the cursor is there for whoever looks. */
  #isVisible(): boolean {
    const deadline = this.deadline();
    if (deadline === 0 || deadline > this.now) return true;
    if (deadline <= this.clock) return false;
    this.needsTick = true;
    return true;
  }

  #remove(): void {
    this.#forget();
    this.#dict.remove();
  }

  /** Takes the key of the cursor off the accounts. */
  #forget(): void {
    const { shard, slot, hash } = this.#dict;
    const deadline = shard.deadline(slot);
    if (deadline > 0) this.#deadlines.remove(deadline, hash);
    const outside = shard.outside(slot);
    let bytes = shard.inlineBytes(slot);
    if (outside !== null) bytes = outside instanceof Uint8Array ? outside.length : outside.usedBytes;
    this.usedBytes -= costOf(shard.keyBytes(slot), bytes, deadline);
  }
}

function asString(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw WRONG_TYPE;
}

function costOf(keyBytes: number, valueBytes: number, deadline: number): number {
  return ENTRY_BYTES + keyBytes + valueBytes + (deadline > 0 ? DEADLINE_BYTES : 0);
}

/** Of a Node.js Buffer `slice` would share the memory. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}
