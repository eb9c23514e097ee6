import { NOT_AN_INTEGER, Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import type { Db } from "../store/db.js";
import type { Work } from "../work.js";
import { WORK } from "../work.js";
import { matchesGlob } from "./glob.js";
import { asciiBytes, errorText, indexArgument, word } from "./parse.js";

type Args = readonly Uint8Array[];

const INVALID_CURSOR = new Refusal("ERR invalid cursor");
const DEFAULT_COUNT = 10;

/** The options of `SCAN` and its like. */
export interface ScanOptions {
  /** The hash to go on at; 0 is the beginning. */
  readonly from: number;
  /** How many to look at. */
  readonly count: number;
  readonly match: Uint8Array | null;
  readonly type: string | null;
}

/**
 * Reads the cursor at `at` and the options behind it.
 *
 * @throws {Refusal} when they are none.
 */
export function parseScan(args: Args, at: number, ofKeys: boolean): ScanOptions {
  const from = parseCursor(args[at] as Uint8Array);
  return { from, ...parseScanOptions(args, at + 1, ofKeys) };
}

/** @throws {Refusal} when it is none. */
export function parseCursor(bytes: Uint8Array): number {
  // Redis reads it as a string of C, which ends at a NUL.
  const text = errorText(bytes.subarray(0, 32));
  if (!/^(?:[+-]?\d+)?$/.test(text)) throw INVALID_CURSOR;
  const value = BigInt(text.replace(/^[+-]/, "") || "0");
  if (value >= 2n ** 64n) throw INVALID_CURSOR;
  // No hash is as large as what is left of a minus: past the end.
  return Number(text.startsWith("-") && value > 0n ? 2n ** 64n - value : value);
}

function parseScanOptions(args: Args, start: number, ofKeys: boolean): Omit<ScanOptions, "from"> {
  let count = DEFAULT_COUNT;
  let match: Uint8Array | null = null;
  let type: string | null = null;
  for (let at = start; at < args.length; at += 2) {
    const value = args[at + 1];
    if (value === undefined) throw SYNTAX_ERROR;
    switch (word(args[at])) {
      case "COUNT":
        count = indexArgument(value);
        if (!Number.isSafeInteger(count)) throw NOT_AN_INTEGER;
        if (count < 1) throw SYNTAX_ERROR;
        break;
      case "MATCH":
        match = value;
        break;
      case "TYPE":
        if (!ofKeys) throw SYNTAX_ERROR;
        type = word(value);
        break;
      default:
        throw SYNTAX_ERROR;
    }
  }
  return { count, match, type };
}

/** Below this size Redis answers all of a collection at once, whatever the cursor; so does this. */
const SMALL = 128;

/** What is to be walked of a collection. */
export interface Walked {
  readonly size: number;
  walk(from: number, visit: (element: Uint8Array, value: () => Reply) => boolean): number;
}

/** `HSCAN`, `SSCAN` and `ZSCAN`: the elements, and what goes with each when `withValues`. */
export function scanCollection(
  { work }: Db,
  collection: Walked | null,
  options: ScanOptions,
  withValues: boolean,
): Reply {
  const { from, count, match } = options;
  const found: Reply[] = [];
  if (collection === null) return [asciiBytes("0"), found];
  const all = collection.size <= SMALL;
  let seen = 0;
  const next = collection.walk(all ? 1 : from, (element, value) => {
    seen += 1;
    work.charge(WORK.element + element.length * WORK.byte);
    if (match === null || matchesGlob(match, element, work)) {
      found.push(element);
      if (withValues) found.push(charged(work, value()));
    }
    return all || seen < count;
  });
  return [asciiBytes(String(next)), found];
}

function charged(work: Work, value: Reply): Reply {
  work.charge(WORK.element + (value instanceof Uint8Array ? value.length : 0) * WORK.byte);
  return value;
}

/**
 * Walks the keys in the order of their hashes; the cursor is the next hash. A key keeps its hash for as long as it exists, so one that is
 * there throughout is returned, and returned once, whatever else comes and goes.
 */
export function scan(db: Db, args: Args): Reply {
  const { from, count, match, type } = parseScan(args, 1, true);
  const found: Uint8Array[] = [];
  let seen = 0;
  const next = db.walk(from, (read, visible) => {
    seen += 1;
    db.work.charge(WORK.key);
    if (visible && (type === null || db.type().toUpperCase() === type)) {
      const key = read();
      if (match === null || matchesGlob(match, key, db.work)) found.push(key);
    }
    return seen < count;
  });
  return [asciiBytes(String(next)), found];
}
