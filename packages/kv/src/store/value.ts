import type { Shard } from "./shard.js";

/** The types of values that Redis tells apart, by the names that `TYPE` has for them. */
export type ValueType = "string" | "hash" | "list" | "set" | "zset";

/**
 * A value of many parts. Only its owner may change it: a shard that was copied because a capture sees it has the same objects,
 * but does not own them, and forks one before it changes it.
 */
export interface Collection {
  readonly type: Exclude<ValueType, "string">;
  owner: Shard | null;
  /** How many elements there are. A collection of none is deleted. */
  readonly size: number;
  /** What it counts for against `maxmemory`: a function of its content alone. */
  readonly usedBytes: number;
  /** A collection of the same content, which can be changed without changing this one. Costs little, whatever the size. */
  fork(): Collection;
}

/** What does not stand in an arena. */
export type OutsideValue = Uint8Array | Collection;

/** What a key holds. Bytes are a string. */
export type Value = OutsideValue;
