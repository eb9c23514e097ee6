import type { HashSeed } from "../store/dict.js";
import { Dict } from "../store/dict.js";
import { OUTSIDE_BYTES } from "../store/record.js";
import type { Shard } from "../store/shard.js";
import type { Collection } from "../store/value.js";

/** What an element counts for, besides its bytes. */
const ELEMENT_BYTES = 24;
const COLLECTION_BYTES = 900;
const NOTHING = new Uint8Array(0);

/**
 * Fields and what they hold; a set is the same with fields that hold nothing. Kept and ordered as the keys themselves are: so there is no
 * size at which an operation on one field begins to cost more, and what is walked comes in the order of the fields' hashes.
 */
export class HashValue implements Collection {
  readonly type: "hash" | "set";
  owner: Shard | null = null;
  readonly #dict: Dict;
  #bytes: number;

  constructor(type: "hash" | "set", source: HashSeed | HashValue) {
    this.type = type;
    this.#dict = source instanceof HashValue ? source.#dict.fork() : new Dict(source);
    this.#bytes = source instanceof HashValue ? source.#bytes : COLLECTION_BYTES;
  }

  get size(): number {
    return this.#dict.size;
  }

  get usedBytes(): number {
    return this.#bytes;
  }

  get seed(): HashSeed {
    return this.#dict.seed;
  }

  fork(): HashValue {
    return new HashValue(this.type, this);
  }

  has(field: Uint8Array): boolean {
    return this.#dict.find(field);
  }

  /** A copy of what the field holds, or null. */
  get(field: Uint8Array): Uint8Array | null {
    return this.#dict.find(field) ? this.#value() : null;
  }

  /** @returns true when the field is new. */
  set(field: Uint8Array, value: Uint8Array = NOTHING): boolean {
    const found = this.#dict.find(field);
    if (found) this.#bytes -= this.#valueBytes();
    else this.#bytes += ELEMENT_BYTES + field.length;
    this.#bytes += value.length;
    this.#dict.put(field, value.length >= OUTSIDE_BYTES ? Uint8Array.prototype.slice.call(value) : value);
    return !found;
  }

  /** @returns true when it was there. */
  delete(field: Uint8Array): boolean {
    if (!this.#dict.find(field)) return false;
    this.#bytes -= ELEMENT_BYTES + field.length + this.#valueBytes();
    this.#dict.remove();
    return true;
  }

  /** Visits fields by their hashes, as `Db.walk` does. @param visit answers whether to go on. @returns the hash to go on at, or 0. */
  walk(from: number, visit: (field: Uint8Array, value: () => Uint8Array) => boolean): number {
    const dict = this.#dict;
    const value = (): Uint8Array => this.#value();
    let more = true;
    let last = 0;
    for (let there = dict.seek(from); there; there = dict.next()) {
      if (!more && dict.hash !== last) return dict.hash;
      last = dict.hash;
      more = visit(dict.shard.key(dict.slot), value) && more;
    }
    return 0;
  }

  /** The fields in order, with what they hold. What else is asked meanwhile does not matter; nothing may be changed. */
  *each(): Generator<[Uint8Array, Uint8Array]> {
    for (const shard of this.#dict.shards()) {
      for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) {
        yield [shard.key(slot), shard.value(slot) as Uint8Array];
      }
    }
  }

  fields(): Uint8Array[] {
    const fields: Uint8Array[] = [];
    this.walk(1, (field) => fields.push(field) > 0);
    return fields;
  }

  entries(): [Uint8Array, Uint8Array][] {
    const entries: [Uint8Array, Uint8Array][] = [];
    this.walk(1, (field, value) => entries.push([field, value()]) > 0);
    return entries;
  }

  /** The field that has `rank` fields before it, and what it holds. */
  at(rank: number): [Uint8Array, Uint8Array] {
    this.#dict.seekRank(rank);
    return [this.#dict.shard.key(this.#dict.slot), this.#value()];
  }

  #value(): Uint8Array {
    const value = this.#dict.shard.value(this.#dict.slot) as Uint8Array;
    return value.length >= OUTSIDE_BYTES ? value.slice() : value;
  }

  #valueBytes(): number {
    const inline = this.#dict.shard.inlineBytes(this.#dict.slot);
    return inline >= 0 ? inline : (this.#dict.shard.outside(this.#dict.slot) as Uint8Array).length;
  }
}
