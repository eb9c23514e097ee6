import { fromByteString } from "@seshat/storage/parts";
import { Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import type { Db } from "../store/db.js";
import type { Scored } from "../types/zset-value.js";
import { ScoreTable, ZsetValue } from "../types/zset-value.js";
import type { Work } from "../work.js";
import { WORK, placeWork } from "../work.js";
import { rangeOf, store } from "./collections.js";
import { indexArgument, word } from "./parse.js";
import type { ScoredRange } from "./zset-ranges.js";
import { nameRange, placeOf, scoreRange } from "./zset-ranges.js";
import { pairOf, readZset } from "./zsets.js";

type Args = readonly Uint8Array[];

const LIMIT_BY_RANK = new Refusal(
  "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_BY_NAME = new Refusal("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/** What a command asks for: by its name, or by options. */
interface Query {
  by: "RANK" | "SCORE" | "LEX" | null;
  reverse: boolean | null;
  readonly store: boolean;
}

interface Found {
  readonly items: readonly Scored[];
  readonly withScores: boolean;
}

/**
 * Reads a range of the sorted set at `args[at]`, with its bounds and options behind it.
 *
 * @param query what the name of the command has decided already.
 */
function find(db: Db, args: Args, at: number, query: Query): Found {
  const { store } = query;
  let { by, reverse } = query;
  let withScores = false;
  let offset = 0;
  let limit = -1;
  for (let i = at + 3; i < args.length; i++) {
    const option = word(args[i]);
    if (!store && option === "WITHSCORES") {
      withScores = true;
    } else if (option === "LIMIT" && i + 2 < args.length) {
      offset = indexArgument(args[i + 1]);
      limit = indexArgument(args[i + 2]);
      i += 2;
    } else if (query.reverse === null && reverse === null && option === "REV") {
      reverse = true;
    } else if (query.by === null && by === null && (option === "BYLEX" || option === "BYSCORE")) {
      by = option === "BYLEX" ? "LEX" : "SCORE";
    } else {
      throw SYNTAX_ERROR;
    }
  }
  const backwards = reverse === true;
  if (limit !== -1 && (by ?? "RANK") === "RANK") throw LIMIT_BY_RANK;
  if (withScores && by === "LEX") throw SCORES_BY_NAME;
  // A limit of -1 is none; then an offset is none either.
  if ((by ?? "RANK") === "RANK") offset = 0;
  const place = placer(by ?? "RANK", backwards, args[at + 1], args[at + 2]);
  const zset = readZset(db, args[at]);
  if (zset === null) return { items: [], withScores };
  db.work.charge(placeWork(zset.size));
  return { items: pick(db.work, zset, place(zset), backwards, offset, limit), withScores };
}

type Placer = (zset: ZsetValue) => [from: number, count: number];

function placer(
  by: "RANK" | "SCORE" | "LEX",
  backwards: boolean,
  first: Uint8Array | undefined,
  second: Uint8Array | undefined,
): Placer {
  if (by === "RANK") {
    const start = indexArgument(first);
    const end = indexArgument(second);
    return (zset) => {
      const [from, count] = rangeOf(start, end, zset.size);
      return [backwards ? zset.size - from - count : from, count];
    };
  }
  // Backwards the higher bound stands first.
  const [min, max] = backwards ? [second, first] : [first, second];
  const range: ScoredRange = by === "SCORE" ? scoreRange(min, max) : nameRange(min, max);
  return (zset) => placeOf(zset, range);
}

/** @param limit how many at most; below 0, all. */
function pick(
  work: Work,
  zset: ZsetValue,
  [from, count]: [number, number],
  backwards: boolean,
  offset: number,
  limit: number,
): Scored[] {
  if (offset < 0) return [];
  const left = Math.max(0, count - offset);
  const wanted = limit < 0 ? left : Math.min(limit, left);
  work.charge(wanted * WORK.item);
  const items = zset.slice(backwards ? from + left - wanted : from + offset, wanted);
  return backwards ? items.reverse() : items;
}

function answer({ work }: Db, { items, withScores }: Found): Reply {
  for (const { member } of items) work.charge(member.length * WORK.byte);
  if (withScores) return { type: "pairs", entries: items.map(pairOf) };
  return items.map(({ member }) => fromByteString(member));
}

function queryOf(by: Query["by"], reverse: boolean | null): (db: Db, args: Args) => Reply {
  return (db, args) => answer(db, find(db, args, 1, { by, reverse, store: false }));
}

export const zrange: (db: Db, args: Args) => Reply = queryOf(null, null);
export const zrevrange: (db: Db, args: Args) => Reply = queryOf("RANK", true);
export const zrangebyscore: (db: Db, args: Args) => Reply = queryOf("SCORE", false);
export const zrevrangebyscore: (db: Db, args: Args) => Reply = queryOf("SCORE", true);
export const zrangebylex: (db: Db, args: Args) => Reply = queryOf("LEX", false);
export const zrevrangebylex: (db: Db, args: Args) => Reply = queryOf("LEX", true);

export function zrangestore(db: Db, args: Args): Reply {
  const { items } = find(db, args, 2, { by: null, reverse: null, store: true });
  const result = new ScoreTable(db.seed);
  for (const { member, score } of items) {
    db.work.charge(WORK.put + WORK.sorted + member.length * WORK.byte);
    result.set(fromByteString(member), score);
  }
  return store(db, args[1] as Uint8Array, new ZsetValue(result));
}
