import { OUT_OF_RANGE, Refusal } from "../refusal.js";
import type { Db } from "../store/db.js";
import type { Random } from "../store/random.js";
import type { Collection } from "../store/value.js";
import { INT64_MAX, integerArgument, parseInteger, rangedArgument } from "./parse.js";
import { checkLength } from "./strings.js";

/** No reply has more elements that were drawn with repetition than this: Redis would send them for ever. */
const MAX_DRAWN = 1_000_000;
const NOT_POSITIVE = new Refusal("ERR value is out of range, must be positive");

/**
 * Changes the collection at `key`, or a new one that `make` gives where there is none.
 *
 * @param act what to do. It may refuse, before it changes anything.
 * @param changed whether something was changed, by what `act` answered: whoever watches the key learns of it.
 * @returns what `act` answered, or null when there is none, and none to be made.
 */
export function change<T extends Collection, R>(
  db: Db,
  key: Uint8Array,
  type: T["type"],
  make: (() => T) | null,
  act: (collection: T) => R,
  changed: (result: R) => boolean = () => true,
): R | null {
  const found = db.own<T>(key, type);
  if (found === null) {
    if (make === null) return null;
    const made = make();
    const result = act(made);
    if (made.size > 0) db.create(key, made);
    return result;
  }
  const before = found.usedBytes;
  const result = act(found);
  if (changed(result)) db.changed(key, found, before);
  return result;
}

/** Puts what was computed in the place of whatever is at `key`; nothing, when it is empty. */
export function store(db: Db, key: Uint8Array, collection: Collection): number {
  db.delete(key);
  if (collection.size > 0) db.create(key, collection);
  return collection.size;
}

/** @throws {Refusal} when one of the arguments from `from` on, or of each second one, is too long for an element. */
export function checkElements(db: Db, args: readonly Uint8Array[], from: number, step = 1): void {
  for (let at = from; at < args.length; at += step) checkLength(db, (args[at] as Uint8Array).length);
}

/** A count of `min` or more. @throws {Refusal} with Redis's error, or `problem`. */
export function countArgument(bytes: Uint8Array | undefined, problem?: string, min = 0): number {
  const value = bytes === undefined ? null : parseInteger(bytes);
  if (value === null || value < min) throw problem === undefined ? NOT_POSITIVE : new Refusal(problem);
  return typeof value === "number" ? value : Number.MAX_SAFE_INTEGER;
}

/** How many to draw; below 0, with repetition. @throws {Refusal} when it is no number. */
export function drawArgument(bytes: Uint8Array | undefined): number {
  const value = rangedArgument(bytes, -INT64_MAX, INT64_MAX);
  if (typeof value === "number") return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}

/** The reply has two things for each: so many of them have to be a number as well. @throws {Refusal} when they are none. */
export function checkDrawnPairs(bytes: Uint8Array | undefined): void {
  const value = integerArgument(bytes);
  if (value > INT64_MAX / 2n || value < -(INT64_MAX / 2n)) throw OUT_OF_RANGE;
}

/** How many there are to draw of `size` things: see {@link drawRanks}. */
export function drawnOf(size: number, count: number): number {
  return count < 0 ? Math.min(-count, MAX_DRAWN) : Math.min(count, size);
}

/**
 * Draws ranks of `size` things: `count` different ones, or `-count` of any.
 *
 * @throws {Refusal} when those are too many.
 */
export function drawRanks(random: Random, size: number, count: number): number[] {
  if (size === 0) return [];
  if (count < -MAX_DRAWN) throw OUT_OF_RANGE;
  if (count < 0) return Array.from({ length: -count }, () => random.below(size));
  if (count >= size) return Array.from({ length: size }, (_, rank) => rank);
  // R. W. Floyd's: as many draws as there are to be had, and each subset as likely as any other.
  const drawn = new Set<number>();
  for (let last = size - count; last < size; last++) {
    const rank = random.below(last + 1);
    drawn.add(drawn.has(rank) ? last : rank);
  }
  return [...drawn];
}

/** Where a range of a sequence begins and how many it has; Redis's indexes, below 0 from the end. */
export function rangeOf(start: number, end: number, size: number): [from: number, count: number] {
  const from = Math.max(0, start < 0 ? start + size : start);
  const to = Math.min(size - 1, end < 0 ? end + size : end);
  return from > to ? [0, 0] : [from, to - from + 1];
}
