import { NAN_OR_INFINITY, OVERFLOW, Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import { OK, errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { HashValue } from "../types/hash-value.js";
import { WORK, floatWork, visitWork } from "../work.js";
import { change, checkDrawnPairs, checkElements, drawArgument, drawRanks, drawnOf } from "./collections.js";
import { sum } from "./counters.js";
import { LongDouble } from "./long-double.js";
import { asciiBytes, integerArgument, integerBytes, parseInteger, word } from "./parse.js";
import { parseCursor, parseScan, scanCollection } from "./scan.js";
import { checkLength } from "./strings.js";

type Args = readonly Uint8Array[];

const NO_INTEGER = new Refusal("ERR hash value is not an integer");
const NO_FLOAT = new Refusal("ERR hash value is not a float");
const INFINITE = new Refusal("ERR value is NaN or Infinity");

function read(db: Db, args: Args): HashValue | null {
  return db.collection<HashValue>(args[1] as Uint8Array, "hash");
}

/** The same, to visit all of it. */
function readAll(db: Db, args: Args): HashValue | null {
  const hash = read(db, args);
  if (hash !== null) db.work.charge(visitWork(hash) + hash.size * WORK.element);
  return hash;
}

function write<R>(db: Db, args: Args, act: (hash: HashValue) => R, changed?: (result: R) => boolean): R {
  const make = (): HashValue => new HashValue("hash", db.seed);
  return change<HashValue, R>(db, args[1] as Uint8Array, "hash", make, act, changed) as R;
}

export function hset(db: Db, args: Args): Reply {
  return setFields(db, args, "hset", (created) => created);
}

export function hmset(db: Db, args: Args): Reply {
  return setFields(db, args, "hmset", () => OK);
}

function setFields(db: Db, args: Args, command: string, reply: (created: number) => Reply): Reply {
  if (args.length % 2 === 1) return errorReply(`ERR wrong number of arguments for '${command}' command`);
  checkElements(db, args, 2);
  db.work.charge(((args.length - 2) / 2) * WORK.put);
  return write(db, args, (hash) => {
    let created = 0;
    for (let at = 2; at < args.length; at += 2) {
      if (hash.set(args[at] as Uint8Array, args[at + 1])) created += 1;
    }
    return reply(created);
  });
}

export function hsetnx(db: Db, args: Args): Reply {
  checkElements(db, args, 2);
  return write(
    db,
    args,
    (hash) => {
      if (hash.has(args[2] as Uint8Array)) return 0;
      hash.set(args[2] as Uint8Array, args[3]);
      return 1;
    },
    (set) => set === 1,
  );
}

export function hget(db: Db, args: Args): Reply {
  return valueOf(db, read(db, args), args[2] as Uint8Array);
}

/** A copy of what a field holds, or null. */
function valueOf(db: Db, hash: HashValue | null, field: Uint8Array): Uint8Array | null {
  const value = hash?.get(field) ?? null;
  // Of one value it does no harm that it has been copied already.
  if (value !== null) db.work.charge(value.length * WORK.byte);
  return value;
}

export function hmget(db: Db, args: Args): Reply {
  const hash = read(db, args);
  db.work.charge((args.length - 2) * WORK.lookup);
  return args.slice(2).map((field) => valueOf(db, hash, field));
}

export function hdel(db: Db, args: Args): Reply {
  db.work.charge((args.length - 2) * WORK.put);
  const deleted = change<HashValue, number>(
    db,
    args[1] as Uint8Array,
    "hash",
    null,
    (hash) => args.slice(2).filter((field) => hash.delete(field)).length,
    (count) => count > 0,
  );
  return deleted ?? 0;
}

export function hlen(db: Db, args: Args): Reply {
  return read(db, args)?.size ?? 0;
}

export function hstrlen(db: Db, args: Args): Reply {
  return valueOf(db, read(db, args), args[2] as Uint8Array)?.length ?? 0;
}

export function hexists(db: Db, args: Args): Reply {
  return read(db, args)?.has(args[2] as Uint8Array) === true ? 1 : 0;
}

export function hkeys(db: Db, args: Args): Reply {
  return readAll(db, args)?.fields() ?? [];
}

export function hvals(db: Db, args: Args): Reply {
  return (
    readAll(db, args)
      ?.entries()
      .map(([, value]) => value) ?? []
  );
}

export function hgetall(db: Db, args: Args): Reply {
  return { type: "map", entries: readAll(db, args)?.entries() ?? [] };
}

export function hincrby(db: Db, args: Args): Reply {
  const field = args[2] as Uint8Array;
  checkLength(db, field.length);
  const amount = integerArgument(args[3]);
  return write(db, args, (hash) => {
    const value = valueOf(db, hash, field);
    const before = value === null ? 0 : parseInteger(value);
    if (before === null) throw NO_INTEGER;
    const after = sum(before, amount);
    if (after === null) throw OVERFLOW;
    hash.set(field, integerBytes(after));
    return after;
  });
}

export function hincrbyfloat(db: Db, args: Args): Reply {
  const field = args[2] as Uint8Array;
  checkLength(db, field.length);
  db.work.charge(floatWork(args[3] as Uint8Array));
  const amount = LongDouble.parse(args[3] as Uint8Array);
  if (!amount.isFinite) throw INFINITE;
  return write(db, args, (hash) => {
    const value = valueOf(db, hash, field);
    if (value !== null) db.work.charge(floatWork(value));
    const after = (value === null ? LongDouble.ZERO : stored(value)).plus(amount);
    if (!after.isFinite) throw NAN_OR_INFINITY;
    const bytes = asciiBytes(after.format());
    checkLength(db, bytes.length);
    hash.set(field, bytes);
    return bytes;
  });
}

function stored(value: Uint8Array): LongDouble {
  try {
    return LongDouble.parse(value);
  } catch {
    throw NO_FLOAT;
  }
}

export function hscan(db: Db, args: Args): Reply {
  parseCursor(args[2] as Uint8Array);
  const hash = read(db, args);
  if (hash === null) return scanCollection(db, null, { from: 0, count: 1, match: null, type: null }, true);
  return scanCollection(db, hash, parseScan(args, 2, false), true);
}

export function hrandfield(db: Db, args: Args): Reply {
  if (args.length === 2) {
    const hash = read(db, args);
    if (hash === null) return null;
    db.work.charge(WORK.ranked + hash.size / 1000);
    return hash.at(db.random.below(hash.size))[0];
  }
  const count = drawArgument(args[2]);
  const withValues = args.length === 4 && word(args[3]) === "WITHVALUES";
  if (args.length > 4 || (args.length === 4 && !withValues)) throw SYNTAX_ERROR;
  if (withValues) checkDrawnPairs(args[2]);
  const entries = drawEntries(db, read(db, args), count);
  return withValues ? { type: "pairs", entries } : entries.map(([field]) => field);
}

/** Fields that are drawn, with what they hold. */
export function drawEntries(db: Db, hash: HashValue | null, count: number): [Uint8Array, Uint8Array][] {
  if (hash === null) return [];
  const drawn = drawnOf(hash.size, count);
  // To walk to a rank takes a while: for many of them it is quicker to have all.
  const isFew = drawn * 16 < hash.size;
  db.work.charge(isFew ? drawn * (WORK.ranked + hash.size / 1000) : visitWork(hash) + drawn * WORK.element);
  const ranks = drawRanks(db.random, hash.size, count);
  const entries = isFew ? [] : hash.entries();
  return ranks.map((rank) => {
    const entry = isFew ? hash.at(rank) : (entries[rank] as [Uint8Array, Uint8Array]);
    db.work.charge((entry[0].length + entry[1].length) * WORK.byte);
    return entry;
  });
}
