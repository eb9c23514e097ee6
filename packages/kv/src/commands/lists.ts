import { NO_SUCH_KEY, Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import { NULL_ARRAY, OK, errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { ListValue } from "../types/list-value.js";
import { WORK, placeWork } from "../work.js";
import { change, checkElements, countArgument, rangeOf } from "./collections.js";
import { INT64_MIN, equalBytes, indexArgument, integerArgument, word } from "./parse.js";

type Args = readonly Uint8Array[];
type End = "LEFT" | "RIGHT";

const INDEX_OUT_OF_RANGE = new Refusal("ERR index out of range");
const RANK_ZERO = new Refusal(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
);

function read(db: Db, args: Args): ListValue | null {
  return db.collection<ListValue>(args[1] as Uint8Array, "list");
}

function write<R>(
  db: Db,
  key: Uint8Array,
  act: (list: ListValue) => R,
  changed?: (result: R) => boolean,
): R | null {
  return change<ListValue, R>(db, key, "list", null, act, changed);
}

export function lpush(db: Db, args: Args): Reply {
  return push(db, args, "LEFT", false);
}

export function rpush(db: Db, args: Args): Reply {
  return push(db, args, "RIGHT", false);
}

export function lpushx(db: Db, args: Args): Reply {
  return push(db, args, "LEFT", true);
}

export function rpushx(db: Db, args: Args): Reply {
  return push(db, args, "RIGHT", true);
}

function push(db: Db, args: Args, end: End, onlyOld: boolean): Reply {
  checkElements(db, args, 2);
  db.work.charge((args.length - 2) * WORK.item);
  return pushAll(db, args, end, onlyOld);
}

/** @returns how many there are then. */
function pushAll(db: Db, args: Args, end: End, onlyOld: boolean): number {
  const make = onlyOld ? null : (): ListValue => new ListValue();
  const size = change<ListValue, number>(db, args[1] as Uint8Array, "list", make, (list) => {
    for (const value of args.slice(2)) list.insert(end === "LEFT" ? 0 : list.size, value);
    return list.size;
  });
  return size ?? 0;
}

export function lpop(db: Db, args: Args): Reply {
  return pop(db, args, "LEFT", "lpop");
}

export function rpop(db: Db, args: Args): Reply {
  return pop(db, args, "RIGHT", "rpop");
}

function pop(db: Db, args: Args, end: End, command: string): Reply {
  if (args.length > 3) return errorReply(`ERR wrong number of arguments for '${command}' command`);
  const key = args[1] as Uint8Array;
  if (args.length === 2) return take(db, key, end, 1)?.[0] ?? null;
  const count = countArgument(args[2]);
  return take(db, key, end, count) ?? NULL_ARRAY;
}

/** Removes up to `count` elements from an end. @returns null when there is no list. */
function take(db: Db, key: Uint8Array, end: End, count: number): Uint8Array[] | null {
  return write(
    db,
    key,
    (list) => {
      const most = Math.min(count, list.size);
      const from = end === "LEFT" ? 0 : list.size - most;
      db.work.charge(most * WORK.item);
      if (most > 0) db.work.charge(list.bytesOf(from, most) * WORK.byte);
      const taken: Uint8Array[] = [];
      while (taken.length < count && list.size > 0)
        taken.push(list.remove(end === "LEFT" ? 0 : list.size - 1));
      return taken;
    },
    (taken) => taken.length > 0,
  );
}

export function llen(db: Db, args: Args): Reply {
  return read(db, args)?.size ?? 0;
}

export function lindex(db: Db, args: Args): Reply {
  const list = read(db, args);
  if (list === null) return null;
  const index = placeOf(indexArgument(args[2]), list);
  if (index === null) return null;
  db.work.charge(placeWork(list.size) + list.bytesOf(index, 1) * WORK.byte);
  return list.get(index);
}

function placeOf(index: number, list: ListValue): number | null {
  const at = index < 0 ? index + list.size : index;
  return at >= 0 && at < list.size ? at : null;
}

export function lset(db: Db, args: Args): Reply {
  if (read(db, args) === null) throw NO_SUCH_KEY;
  const index = indexArgument(args[2]);
  checkElements(db, args, 3);
  return write(db, args[1] as Uint8Array, (list) => {
    const at = placeOf(index, list);
    if (at === null) throw INDEX_OUT_OF_RANGE;
    db.work.charge(placeWork(list.size));
    list.set(at, args[3] as Uint8Array);
    return OK;
  });
}

export function lrange(db: Db, args: Args): Reply {
  const start = indexArgument(args[2]);
  const end = indexArgument(args[3]);
  const list = read(db, args);
  if (list === null) return [];
  const [from, count] = rangeOf(start, end, list.size);
  db.work.charge(placeWork(list.size) + count * WORK.item);
  db.work.charge(list.bytesOf(from, count) * WORK.byte);
  return list.slice(from, count);
}

export function ltrim(db: Db, args: Args): Reply {
  const start = indexArgument(args[2]);
  const end = indexArgument(args[3]);
  write(db, args[1] as Uint8Array, (list) => {
    const [from, count] = rangeOf(start, end, list.size);
    const behind = list.size - from - count;
    db.work.charge((from + behind) * WORK.item);
    db.work.charge((list.bytesOf(0, from) + list.bytesOf(from + count, behind)) * WORK.byte);
    for (let left = list.size - from - count; left > 0; left--) list.remove(list.size - 1);
    for (let left = from; left > 0; left--) list.remove(0);
  });
  return OK;
}

export function linsert(db: Db, args: Args): Reply {
  const where = word(args[2]);
  if (where !== "BEFORE" && where !== "AFTER") throw SYNTAX_ERROR;
  checkElements(db, args, 4);
  const size = write(
    db,
    args[1] as Uint8Array,
    (list) => {
      let at = -1;
      list.search(args[3] as Uint8Array, false, db.work, (index) => {
        at = index;
        return false;
      });
      if (at < 0) return -1;
      db.work.charge(placeWork(list.size));
      list.insert(where === "BEFORE" ? at : at + 1, args[4] as Uint8Array);
      return list.size;
    },
    (result) => result > 0,
  );
  return size ?? 0;
}

export function lrem(db: Db, args: Args): Reply {
  const count = indexArgument(args[2]);
  const most = count === 0 ? Infinity : Math.abs(count);
  const removed = write(
    db,
    args[1] as Uint8Array,
    (list) => {
      const found: number[] = [];
      const sought = args[3] as Uint8Array;
      list.search(sought, count < 0, db.work, (index) => found.push(index) < most);
      db.work.charge(found.length * (WORK.item + list.size / 256 + sought.length * WORK.byte));
      // From behind, so that the indexes before stay what they are.
      for (const index of found.sort((a, b) => b - a)) list.remove(index);
      return found.length;
    },
    (result) => result > 0,
  );
  return removed ?? 0;
}

export function lmove(db: Db, args: Args): Reply {
  return move(db, args, endArgument(args[3]), endArgument(args[4]));
}

export function rpoplpush(db: Db, args: Args): Reply {
  return move(db, args, "RIGHT", "LEFT");
}

function endArgument(bytes: Uint8Array | undefined): End {
  const end = word(bytes);
  if (end !== "LEFT" && end !== "RIGHT") throw SYNTAX_ERROR;
  return end;
}

function move(db: Db, args: Args, from: End, to: End): Reply {
  const source = args[1] as Uint8Array;
  const target = args[2] as Uint8Array;
  if (read(db, args) === null) return null;
  if (db.collection<ListValue>(target, "list") === null) db.checkKey(target);
  if (equalBytes(source, target)) {
    return write(db, source, (list) => {
      db.work.charge(2 * (WORK.item + list.bytesOf(from === "LEFT" ? 0 : list.size - 1, 1) * WORK.byte));
      const value = list.remove(from === "LEFT" ? 0 : list.size - 1);
      list.insert(to === "LEFT" ? 0 : list.size, value);
      return value;
    });
  }
  const [value] = take(db, source, from, 1) ?? [];
  if (value !== undefined) pushAll(db, [source, target, value], to, false);
  return value ?? null;
}

export function lpos(db: Db, args: Args): Reply {
  let rank = 1;
  let count: number | null = null;
  let most = 0;
  for (let at = 3; at < args.length; at += 2) {
    const value = args[at + 1];
    if (value === undefined) throw SYNTAX_ERROR;
    switch (word(args[at])) {
      case "RANK":
        rank = rankArgument(value);
        if (rank === 0) throw RANK_ZERO;
        break;
      case "COUNT":
        count = countArgument(value, "ERR COUNT can't be negative");
        break;
      case "MAXLEN":
        most = countArgument(value, "ERR MAXLEN can't be negative");
        break;
      default:
        throw SYNTAX_ERROR;
    }
  }
  const wanted = count === null ? 1 : count === 0 ? Infinity : count;
  const found: number[] = [];
  let skipped = 1;
  const visit = (index: number): boolean => {
    if (skipped < Math.abs(rank)) skipped += 1;
    else found.push(index);
    return found.length < wanted;
  };
  read(db, args)?.search(args[2] as Uint8Array, rank < 0, db.work, visit, most === 0 ? Infinity : most);
  return count === null ? (found[0] ?? null) : found;
}

/** The least integer has no opposite: for Redis it stays below 0, and so every match is past it. */
function rankArgument(bytes: Uint8Array): number {
  return integerArgument(bytes) === INT64_MIN ? -1 : indexArgument(bytes);
}

export function lmpop(db: Db, args: Args): Reply {
  const { keys, rest } = keysArgument(args, 1);
  const end = endArgument(rest[0]);
  const count = popCount(rest);
  for (const key of keys) {
    const taken = take(db, key, end, count);
    if (taken !== null) return [key, taken];
  }
  return NULL_ARRAY;
}

/** `numkeys key [key ...]` at `at`, and what is behind them, of which there must be something. */
export function keysArgument(args: Args, at: number): { keys: Args; rest: Args } {
  const count = countArgument(args[at], "ERR numkeys should be greater than 0", 1);
  const behind = at + 1 + count;
  if (behind >= args.length) throw SYNTAX_ERROR;
  return { keys: args.slice(at + 1, behind), rest: args.slice(behind) };
}

/** `[COUNT count]` behind an end. */
export function popCount(rest: Args): number {
  let count = 0;
  for (let at = 1; at < rest.length; at += 2) {
    if (word(rest[at]) !== "COUNT" || at + 1 >= rest.length || count > 0) throw SYNTAX_ERROR;
    count = countArgument(rest[at + 1], "ERR count should be greater than 0", 1);
  }
  return count === 0 ? 1 : count;
}
