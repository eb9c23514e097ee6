import { hashKey } from "./hash-key.js";
import { PackedValues } from "./packed-values.js";

const SHARDS = 256;

/**
 * A map of byte strings that can be forked at next to no cost, and that holds more than the 16.7 million
 * entries of one `Map`.
 *
 * The entries are spread over shards. A fork shares all of them; whoever first writes to a shared shard
 * copies that shard alone. So a capture costs 256 references, and afterwards no write costs more than one
 * 256th of the map.
 */
export class ShardedMap {
  readonly #shards: PackedValues[];
  /** For each shard: true while no fork can see it, so that it may be changed in place. */
  readonly #owned: boolean[];
  #size: number;

  /** @param source the map to share entries with, or none to start empty; see {@link fork}. */
  constructor(source?: ShardedMap) {
    if (source === undefined) {
      this.#shards = Array.from({ length: SHARDS }, () => new PackedValues());
      this.#owned = this.#shards.map(() => true);
      this.#size = 0;
    } else {
      source.#owned.fill(false);
      this.#shards = [...source.#shards];
      this.#owned = [...source.#owned];
      this.#size = source.#size;
    }
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return (this.#shards[shardOf(key)] as PackedValues).has(key);
  }

  /** The value at `key`, where it stands: to be copied, or looked at before anything is written. */
  get(key: string): Uint8Array | undefined {
    return (this.#shards[shardOf(key)] as PackedValues).get(key);
  }

  /** Keeps a copy of `value`. */
  set(key: string, value: Uint8Array): void {
    const shard = this.#writable(shardOf(key));
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  /** @returns true when the key was there. */
  delete(key: string): boolean {
    if (!this.has(key)) return false;
    this.#writable(shardOf(key)).delete(key);
    this.#size -= 1;
    return true;
  }

  /** The keys in the order of {@link precedes}. One shard at a time is sorted, so that no step takes long. */
  *orderedKeys(): Generator<string> {
    for (const shard of this.#shards) yield* [...shard.keys()].sort();
  }

  /** A map of the same entries. Neither sees what is written to the other from now on. */
  fork(): ShardedMap {
    return new ShardedMap(this);
  }

  #writable(at: number): PackedValues {
    let shard = this.#shards[at] as PackedValues;
    if (this.#owned[at] !== true) {
      shard = shard.copy();
      this.#shards[at] = shard;
      this.#owned[at] = true;
    }
    return shard;
  }
}

/** The order of a map's keys: by shard, then as strings. It depends on the two keys alone. */
export function precedes(a: string, b: string): boolean {
  const shards = shardOf(a) - shardOf(b);
  return shards < 0 || (shards === 0 && a < b);
}

function shardOf(key: string): number {
  return hashKey(key) & (SHARDS - 1);
}
