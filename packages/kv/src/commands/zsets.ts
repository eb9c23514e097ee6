import { formatDouble } from "@seshat/resp";
import { fromByteString } from "@seshat/storage/parts";
import { Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import { NULL_ARRAY, errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import type { Scored } from "../types/zset-value.js";
import { ZsetValue } from "../types/zset-value.js";
import { WORK, placeWork } from "../work.js";
import {
  change,
  checkDrawnPairs,
  checkElements,
  countArgument,
  drawArgument,
  drawRanks,
  drawnOf,
  rangeOf,
} from "./collections.js";
import { keysArgument, popCount } from "./lists.js";
import { asciiBytes, indexArgument, word } from "./parse.js";
import { parseCursor, parseScan, scanCollection } from "./scan.js";
import type { ScoredRange } from "./zset-ranges.js";
import { nameRange, placeOf, scoreArgument, scoreRange } from "./zset-ranges.js";

type Args = readonly Uint8Array[];
type AddOption = "NX" | "XX" | "GT" | "LT" | "CH" | "INCR";

const NOT_A_NUMBER = new Refusal("ERR resulting score is not a number (NaN)");
const ADD_OPTIONS: ReadonlySet<string> = new Set(["NX", "XX", "GT", "LT", "CH", "INCR"]);

export function readZset(db: Db, key: Uint8Array | undefined): ZsetValue | null {
  return db.collection<ZsetValue>(key as Uint8Array, "zset");
}

/** A member and its score, as a pair of a reply. */
export function pairOf({ member, score }: Scored): [Reply, Reply] {
  return [fromByteString(member), double(score)];
}

function double(value: number): Reply {
  return { type: "double", value };
}

export function zadd(db: Db, args: Args): Reply {
  const options = new Set<AddOption>();
  let at = 2;
  for (; ADD_OPTIONS.has(word(args[at])); at++) options.add(word(args[at]) as AddOption);
  return add(db, args[1] as Uint8Array, args.slice(at), options);
}

export function zincrby(db: Db, args: Args): Reply {
  return add(db, args[1] as Uint8Array, args.slice(2), new Set(["INCR"]));
}

function add(db: Db, key: Uint8Array, pairs: Args, options: ReadonlySet<AddOption>): Reply {
  if (pairs.length === 0 || pairs.length % 2 === 1) throw SYNTAX_ERROR;
  const [nx, xx, gt, lt] = (["NX", "XX", "GT", "LT"] as const).map((option) => options.has(option));
  if (nx && xx) return errorReply("ERR XX and NX options at the same time are not compatible");
  if ((gt && nx) || (lt && nx) || (gt && lt)) {
    return errorReply("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  const incr = options.has("INCR");
  if (incr && pairs.length > 2) return errorReply("ERR INCR option supports a single increment-element pair");
  const scores = pairs.filter((_, i) => i % 2 === 0).map((bytes) => scoreArgument(bytes));
  checkElements(db, pairs, 1, 2);
  const found = readZset(db, key);
  if (found === null && xx) return incr ? null : 0;
  db.work.charge(scores.length * (WORK.put + 2 * placeWork((found?.size ?? 0) + scores.length)));
  const make = (): ZsetValue => new ZsetValue(db.seed);
  const result = change<ZsetValue, Added>(
    db,
    key,
    "zset",
    make,
    (zset) => {
      const done: Added = { added: 0, updated: 0, score: null };
      for (const [i, given] of scores.entries()) {
        const member = pairs[2 * i + 1] as Uint8Array;
        const before = zset.score(member);
        if (before === null ? xx : nx) continue;
        const score = incr && before !== null ? before + given : given;
        if (Number.isNaN(score)) throw NOT_A_NUMBER;
        if (before !== null && ((lt && score >= before) || (gt && score <= before))) continue;
        done.score = score;
        zset.set(member, score);
        if (before === null) done.added += 1;
        else if (before !== score) done.updated += 1;
      }
      return done;
    },
    ({ added, updated }) => added + updated > 0,
  ) as Added;
  if (incr) return result.score === null ? null : double(result.score);
  return options.has("CH") ? result.added + result.updated : result.added;
}

interface Added {
  added: number;
  updated: number;
  /** The last one that was set. */
  score: number | null;
}

export function zrem(db: Db, args: Args): Reply {
  const found = readZset(db, args[1]);
  if (found !== null) db.work.charge((args.length - 2) * (WORK.put + 2 * placeWork(found.size)));
  const removed = change<ZsetValue, number>(
    db,
    args[1] as Uint8Array,
    "zset",
    null,
    (zset) => args.slice(2).filter((member) => zset.delete(member)).length,
    (count) => count > 0,
  );
  return removed ?? 0;
}

export function zremrangebyrank(db: Db, args: Args): Reply {
  const start = indexArgument(args[2]);
  const end = indexArgument(args[3]);
  return removeRange(db, args, (zset) => rangeOf(start, end, zset.size));
}

export function zremrangebyscore(db: Db, args: Args): Reply {
  const range = scoreRange(args[2], args[3]);
  return removeRange(db, args, (zset) => placeOf(zset, range));
}

export function zremrangebylex(db: Db, args: Args): Reply {
  const range = nameRange(args[2], args[3]);
  return removeRange(db, args, (zset) => placeOf(zset, range));
}

function removeRange(db: Db, args: Args, place: (zset: ZsetValue) => [number, number]): Reply {
  const removed = change<ZsetValue, number>(
    db,
    args[1] as Uint8Array,
    "zset",
    null,
    (zset) => {
      db.work.charge(placeWork(zset.size));
      const [from, count] = place(zset);
      db.work.charge(count * (WORK.put + placeWork(zset.size)));
      zset.deleteRange(from, count);
      return count;
    },
    (count) => count > 0,
  );
  return removed ?? 0;
}

export function zcard(db: Db, args: Args): Reply {
  return readZset(db, args[1])?.size ?? 0;
}

export function zcount(db: Db, args: Args): Reply {
  return countOf(db, args, scoreRange(args[2], args[3]));
}

export function zlexcount(db: Db, args: Args): Reply {
  return countOf(db, args, nameRange(args[2], args[3]));
}

function countOf(db: Db, args: Args, range: ScoredRange): Reply {
  const zset = readZset(db, args[1]);
  if (zset === null) return 0;
  db.work.charge(2 * placeWork(zset.size));
  return placeOf(zset, range)[1];
}

export function zscore(db: Db, args: Args): Reply {
  const score = readZset(db, args[1])?.score(args[2] as Uint8Array) ?? null;
  return score === null ? null : double(score);
}

export function zmscore(db: Db, args: Args): Reply {
  const zset = readZset(db, args[1]);
  db.work.charge((args.length - 2) * WORK.lookup);
  return args.slice(2).map((member) => {
    const score = zset?.score(member) ?? null;
    return score === null ? null : double(score);
  });
}

export function zrank(db: Db, args: Args): Reply {
  return rankOf(db, readZset(db, args[1]), args[2] as Uint8Array);
}

export function zrevrank(db: Db, args: Args): Reply {
  const zset = readZset(db, args[1]);
  const rank = rankOf(db, zset, args[2] as Uint8Array);
  return zset === null || rank === null ? null : zset.size - 1 - rank;
}

function rankOf(db: Db, zset: ZsetValue | null, member: Uint8Array): number | null {
  if (zset === null) return null;
  db.work.charge(WORK.lookup + placeWork(zset.size));
  return zset.rank(member);
}

export function zpopmin(db: Db, args: Args): Reply {
  return popCommand(db, args, false);
}

export function zpopmax(db: Db, args: Args): Reply {
  return popCommand(db, args, true);
}

function popCommand(db: Db, args: Args, highest: boolean): Reply {
  if (args.length > 3) throw SYNTAX_ERROR;
  const count = args.length === 3 ? countArgument(args[2]) : 1;
  const pairs = (pop(db, args[1] as Uint8Array, highest, count) ?? []).map(pairOf);
  // One that is popped without a count is no pair among others, in RESP3 neither.
  return args.length === 3 ? { type: "pairs", entries: pairs } : pairs.flat();
}

function pop(db: Db, key: Uint8Array, highest: boolean, count: number): Scored[] | null {
  return change<ZsetValue, Scored[]>(
    db,
    key,
    "zset",
    null,
    (zset) => {
      const size = Math.min(count, zset.size);
      const from = highest ? zset.size - size : 0;
      db.work.charge(size * (WORK.put + placeWork(zset.size)));
      const popped = zset.slice(from, size);
      zset.deleteRange(from, size);
      return highest ? popped.reverse() : popped;
    },
    (popped) => popped.length > 0,
  );
}

export function zmpop(db: Db, args: Args): Reply {
  const { keys, rest } = keysArgument(args, 1);
  const where = word(rest[0]);
  if (where !== "MIN" && where !== "MAX") throw SYNTAX_ERROR;
  const count = popCount(rest);
  for (const key of keys) {
    const popped = pop(db, key, where === "MAX", count);
    if (popped !== null) return [key, popped.map(pairOf)];
  }
  return NULL_ARRAY;
}

export function zscan(db: Db, args: Args): Reply {
  parseCursor(args[2] as Uint8Array);
  const zset = readZset(db, args[1]);
  if (zset === null) return scanCollection(db, null, { from: 0, count: 1, match: null, type: null }, true);
  const walked = {
    size: zset.size,
    walk: (from: number, visit: (element: Uint8Array, value: () => Reply) => boolean) =>
      zset.walk(from, (member, score) => visit(member, () => asciiBytes(formatDouble(score)))),
  };
  return scanCollection(db, walked, parseScan(args, 2, false), true);
}

export function zrandmember(db: Db, args: Args): Reply {
  if (args.length === 2) {
    const zset = readZset(db, args[1]);
    return zset === null ? null : fromByteString(draw(db, zset, db.random.below(zset.size)).member);
  }
  const count = drawArgument(args[2]);
  const withScores = args.length === 4 && word(args[3]) === "WITHSCORES";
  if (args.length > 4 || (args.length === 4 && !withScores)) throw SYNTAX_ERROR;
  if (withScores) checkDrawnPairs(args[2]);
  const zset = readZset(db, args[1]);
  if (zset !== null) db.work.charge(drawnOf(zset.size, count) * WORK.element);
  const drawn =
    zset === null ? [] : drawRanks(db.random, zset.size, count).map((rank) => draw(db, zset, rank));
  return withScores
    ? { type: "pairs", entries: drawn.map(pairOf) }
    : drawn.map(({ member }) => fromByteString(member));
}

function draw(db: Db, zset: ZsetValue, rank: number): Scored {
  db.work.charge(placeWork(zset.size));
  const item = zset.at(rank);
  db.work.charge(item.member.length * WORK.byte);
  return item;
}
