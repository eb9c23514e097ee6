import { Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import type { Db } from "../store/db.js";
import { HashValue } from "../types/hash-value.js";
import { WORK, lookUpWork, visitWork } from "../work.js";
import { change, checkElements, countArgument, drawArgument, store } from "./collections.js";
import { drawEntries } from "./hashes.js";
import { equalBytes, word } from "./parse.js";
import { parseCursor, parseScan, scanCollection } from "./scan.js";

type Args = readonly Uint8Array[];

const NO_KEYS = "ERR numkeys should be greater than 0";
const TOO_MANY_KEYS = new Refusal("ERR Number of keys can't be greater than number of args");

function read(db: Db, key: Uint8Array | undefined): HashValue | null {
  return db.collection<HashValue>(key as Uint8Array, "set");
}

function newSet(db: Db): HashValue {
  return new HashValue("set", db.seed);
}

export function sadd(db: Db, args: Args): Reply {
  checkElements(db, args, 2);
  db.work.charge((args.length - 2) * WORK.put);
  return add(db, args[1] as Uint8Array, args.slice(2));
}

function add(db: Db, key: Uint8Array, members: readonly Uint8Array[]): Reply {
  return change<HashValue, number>(
    db,
    key,
    "set",
    () => newSet(db),
    (set) => members.filter((member) => !set.has(member) && set.set(member)).length,
    (added) => added > 0,
  );
}

export function srem(db: Db, args: Args): Reply {
  db.work.charge((args.length - 2) * WORK.put);
  return remove(db, args[1] as Uint8Array, args.slice(2));
}

function remove(db: Db, key: Uint8Array, members: readonly Uint8Array[]): number {
  const removed = change<HashValue, number>(
    db,
    key,
    "set",
    null,
    (set) => members.filter((member) => set.delete(member)).length,
    (count) => count > 0,
  );
  return removed ?? 0;
}

export function sismember(db: Db, args: Args): Reply {
  return read(db, args[1])?.has(args[2] as Uint8Array) === true ? 1 : 0;
}

export function smismember(db: Db, args: Args): Reply {
  const set = read(db, args[1]);
  db.work.charge((args.length - 2) * WORK.lookup);
  return args.slice(2).map((member) => (set?.has(member) === true ? 1 : 0));
}

export function scard(db: Db, args: Args): Reply {
  return read(db, args[1])?.size ?? 0;
}

export function smembers(db: Db, args: Args): Reply {
  const set = read(db, args[1]);
  if (set !== null) db.work.charge(visitWork(set));
  return { type: "set", items: set?.fields() ?? [] };
}

export function smove(db: Db, args: Args): Reply {
  const from = args[1] as Uint8Array;
  const to = args[2] as Uint8Array;
  const member = args[3] as Uint8Array;
  const source = read(db, from);
  if (source === null) return 0;
  const has = source.has(member);
  if (read(db, to) === null) db.checkKey(to);
  if (equalBytes(from, to)) return has ? 1 : 0;
  if (!has) return 0;
  db.work.charge(2 * WORK.put);
  remove(db, from, [member]);
  add(db, to, [member]);
  return 1;
}

export function spop(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  if (args.length > 3) throw SYNTAX_ERROR;
  const count = args.length === 3 ? countArgument(args[2]) : 1;
  const members = drawEntries(db, read(db, key), count).map(([member]) => member);
  db.work.charge(members.length * WORK.put);
  remove(db, key, members);
  return args.length === 3 ? { type: "set", items: members } : (members[0] ?? null);
}

export function srandmember(db: Db, args: Args): Reply {
  if (args.length > 3) throw SYNTAX_ERROR;
  const count = args.length === 3 ? drawArgument(args[2]) : 1;
  const members = drawEntries(db, read(db, args[1]), count).map(([member]) => member);
  return args.length === 3 ? members : (members[0] ?? null);
}

export function sscan(db: Db, args: Args): Reply {
  parseCursor(args[2] as Uint8Array);
  const set = read(db, args[1]);
  if (set === null) return scanCollection(db, null, { from: 0, count: 1, match: null, type: null }, false);
  return scanCollection(db, set, parseScan(args, 2, false), false);
}

type Combine = (db: Db, sets: readonly (HashValue | null)[]) => HashValue;

/** @param most the most members that the result is to have. */
function inter(db: Db, sets: readonly (HashValue | null)[], most = Infinity): HashValue {
  const result = newSet(db);
  const sorted = sets.filter((set) => set !== null).sort((a, b) => a.size - b.size);
  const [smallest, ...others] = sorted;
  if (smallest === undefined || sorted.length < sets.length) return result;
  const isWhole = most >= smallest.size;
  db.work.charge(visitWork(smallest));
  if (isWhole) db.work.charge(others.length * lookUpWork(smallest) + smallest.size * WORK.put);
  for (const member of smallest.fields()) {
    if (!isWhole) db.work.charge(others.length * WORK.lookup + WORK.put);
    if (others.every((set) => set.has(member))) result.set(member);
    if (result.size >= most) break;
  }
  return result;
}

const union: Combine = (db, sets) => {
  const result = newSet(db);
  for (const set of sets) if (set !== null) db.work.charge(visitWork(set) + set.size * WORK.put);
  for (const set of sets) for (const member of set?.fields() ?? []) result.set(member);
  return result;
};

const diff: Combine = (db, [first, ...others]) => {
  const result = newSet(db);
  if (first === null || first === undefined) return result;
  db.work.charge(visitWork(first) + others.length * lookUpWork(first) + first.size * WORK.put);
  for (const member of first.fields()) {
    if (!others.some((set) => set?.has(member) === true)) result.set(member);
  }
  return result;
};

function combined(combine: Combine): (db: Db, args: Args) => Reply {
  return (db, args) => {
    const sets = args.slice(1).map((key) => read(db, key));
    return { type: "set", items: combine(db, sets).fields() };
  };
}

function stored(combine: Combine): (db: Db, args: Args) => Reply {
  return (db, args) => {
    const sets = args.slice(2).map((key) => read(db, key));
    return store(db, args[1] as Uint8Array, combine(db, sets));
  };
}

const interOf: Combine = (db, sets) => inter(db, sets);
export const sinter: (db: Db, args: Args) => Reply = combined(interOf);
export const sunion: (db: Db, args: Args) => Reply = combined(union);
export const sdiff: (db: Db, args: Args) => Reply = combined(diff);
export const sinterstore: (db: Db, args: Args) => Reply = stored(interOf);
export const sunionstore: (db: Db, args: Args) => Reply = stored(union);
export const sdiffstore: (db: Db, args: Args) => Reply = stored(diff);

export function sintercard(db: Db, args: Args): Reply {
  const count = countArgument(args[1], NO_KEYS, 1);
  if (count > args.length - 2) throw TOO_MANY_KEYS;
  let limit = 0;
  for (let at = 2 + count; at < args.length; at += 2) {
    if (word(args[at]) !== "LIMIT" || at + 1 >= args.length) throw SYNTAX_ERROR;
    limit = countArgument(args[at + 1], "ERR LIMIT can't be negative");
  }
  const sets = args.slice(2, 2 + count).map((key) => read(db, key));
  return inter(db, sets, limit === 0 ? Infinity : limit).size;
}
