import { hashKey } from "./hash-key.js";

const SHARDS = 256;

/**
 * A map of strings that can be forked at next to no cost, and that holds more than the 16.7 million
 * entries of one `Map`.
 *
 * The entries are spread over shards. A fork shares all of them; whoever first writes to a shared shard
 * copies that shard alone. So a capture costs 256 references, and afterwards no write costs more than one
 * 256th of the map.
 */
export class ShardedMap<V> {
  readonly #shards: Map<string, V>[];
  /** For each shard: true while no fork can see it, so that it may be changed in place. */
  readonly #owned: boolean[];
  #size: number;

  /** @param source the map to share entries with, or none to start empty; see {@link fork}. */
  constructor(source?: ShardedMap<V>) {
    if (source === undefined) {
      this.#shards = Array.from({ length: SHARDS }, () => new Map<string, V>());
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
    return (this.#shards[shardOf(key)] as Map<string, V>).has(key);
  }

  get(key: string): V | undefined {
    return (this.#shards[shardOf(key)] as Map<string, V>).get(key);
  }

  set(key: string, value: V): void {
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
  fork(): ShardedMap<V> {
    return new ShardedMap(this);
  }

  #writable(at: number): Map<string, V> {
    let shard = this.#shards[at] as Map<string, V>;
    if (this.#owned[at] !== true) {
      shard = new Map(shard);
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
