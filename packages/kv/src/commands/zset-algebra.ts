import { fromByteString } from "@seshat/storage/parts";
import { Refusal, SYNTAX_ERROR, WRONG_TYPE } from "../refusal.js";
import type { Reply } from "../reply.js";
import type { Db } from "../store/db.js";
import { HashValue } from "../types/hash-value.js";
import { ScoreTable, ZsetValue } from "../types/zset-value.js";
import { WORK, lookUpWork, visitWork } from "../work.js";
import { countArgument, store } from "./collections.js";
import { integerArgument, word } from "./parse.js";
import { scoreArgument } from "./zset-ranges.js";
import { pairOf } from "./zsets.js";

type Args = readonly Uint8Array[];
type Operation = "union" | "inter" | "diff";
type Aggregate = "SUM" | "MIN" | "MAX";

const NO_WEIGHT = new Refusal("ERR weight value is not a float");

/** A set or a sorted set that takes part; in a set every score is 1. */
class Source {
  readonly #value: HashValue | ZsetValue | null;
  weight = 1;

  constructor(db: Db, key: Uint8Array) {
    const value = db.locate(key) ? db.value() : null;
    const usable =
      value === null || value instanceof ZsetValue || (value instanceof HashValue && value.type === "set");
    if (!usable) throw WRONG_TYPE;
    this.#value = value;
  }

  get size(): number {
    return this.#value?.size ?? 0;
  }

  get usedBytes(): number {
    return this.#value?.usedBytes ?? 0;
  }

  score(member: Uint8Array): number | null {
    if (this.#value === null) return null;
    if (this.#value instanceof ZsetValue) return this.#value.score(member);
    return this.#value.has(member) ? 1 : null;
  }

  members(): [Uint8Array, number][] {
    if (this.#value === null) return [];
    if (this.#value instanceof HashValue) return this.#value.fields().map((member) => [member, 1]);
    return [...this.#value.elements()].map(({ member, score }) => [fromByteString(member), score]);
  }
}

interface Plan {
  readonly sources: Source[];
  readonly aggregate: Aggregate;
  readonly withScores: boolean;
  readonly limit: number;
}

/** @param at where `numkeys` stands. */
function parse(
  db: Db,
  args: Args,
  at: number,
  operation: Operation,
  stored: boolean,
  counted: boolean,
  command: string,
): Plan {
  const count = integerArgument(args[at]);
  if (count < 1) throw new Refusal(`ERR at least 1 input key is needed for '${command}' command`);
  if (count > args.length - at - 1) throw SYNTAX_ERROR;
  const behind = at + 1 + Number(count);
  const sources = args.slice(at + 1, behind).map((key) => new Source(db, key));
  const weighted = operation !== "diff" && !counted;
  let aggregate: Aggregate = "SUM";
  let withScores = false;
  let limit = 0;
  for (let i = behind; i < args.length;) {
    const option = word(args[i]);
    const left = args.length - i;
    if (weighted && option === "WEIGHTS" && left >= sources.length + 1) {
      for (const [n, source] of sources.entries()) source.weight = scoreArgument(args[i + 1 + n], NO_WEIGHT);
      i += 1 + sources.length;
    } else if (weighted && option === "AGGREGATE" && left >= 2) {
      const how = word(args[i + 1]);
      if (how !== "SUM" && how !== "MIN" && how !== "MAX") throw SYNTAX_ERROR;
      aggregate = how;
      i += 2;
    } else if (!stored && !counted && option === "WITHSCORES") {
      withScores = true;
      i += 1;
    } else if (counted && option === "LIMIT" && left >= 2) {
      limit = countArgument(args[i + 1], "ERR LIMIT can't be negative");
      i += 2;
    } else {
      throw SYNTAX_ERROR;
    }
  }
  // Scores are added up in this order, and sums of floating point numbers depend on it.
  if (operation !== "diff") sources.sort((a, b) => a.size - b.size);
  return { sources, aggregate, withScores, limit };
}

/** Infinity less infinity, and infinity times 0, is 0. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

function join(a: number, b: number, aggregate: Aggregate): number {
  if (aggregate === "SUM") return orZero(a + b);
  return aggregate === "MIN" ? (b < a ? b : a) : b > a ? b : a;
}

function compute(db: Db, operation: Operation, { sources, aggregate, limit }: Plan): ScoreTable {
  const { work } = db;
  const result = new ScoreTable(db.seed);
  const [first, ...others] = sources as [Source, ...Source[]];
  const each = WORK.put + WORK.sorted;
  if (operation === "union") {
    for (const source of sources) work.charge(visitWork(source) + lookUpWork(source) + source.size * each);
    for (const source of sources) {
      for (const [member, score] of source.members()) {
        const weighted = orZero(source.weight * score);
        const before = result.get(member);
        result.set(member, before === null ? weighted : join(before, weighted, aggregate));
      }
    }
    return result;
  }
  const isWhole = limit === 0 || limit >= first.size;
  work.charge(visitWork(first));
  if (isWhole) work.charge(others.length * lookUpWork(first) + first.size * each);
  for (const [member, score] of first.members()) {
    if (!isWhole) work.charge(others.length * WORK.lookup + each);
    if (operation === "diff") {
      if (others.every((source) => source.score(member) === null)) result.set(member, score);
      continue;
    }
    let sum: number | null = orZero(first.weight * score);
    for (const source of others) {
      const other = source.score(member);
      sum = sum === null || other === null ? null : join(sum, other * source.weight, aggregate);
    }
    if (sum !== null) result.set(member, sum);
    if (limit > 0 && result.size >= limit) break;
  }
  return result;
}

function algebra(operation: Operation): (db: Db, args: Args) => Reply {
  return (db, args) => {
    const plan = parse(db, args, 1, operation, false, false, `z${operation}`);
    const pairs = compute(db, operation, plan).inOrder().map(pairOf);
    return plan.withScores ? { type: "pairs", entries: pairs } : pairs.map(([member]) => member);
  };
}

function storing(operation: Operation): (db: Db, args: Args) => Reply {
  return (db, args) => {
    const plan = parse(db, args, 2, operation, true, false, `z${operation}store`);
    return store(db, args[1] as Uint8Array, new ZsetValue(compute(db, operation, plan)));
  };
}

export const zunion: (db: Db, args: Args) => Reply = algebra("union");
export const zinter: (db: Db, args: Args) => Reply = algebra("inter");
export const zdiff: (db: Db, args: Args) => Reply = algebra("diff");
export const zunionstore: (db: Db, args: Args) => Reply = storing("union");
export const zinterstore: (db: Db, args: Args) => Reply = storing("inter");
export const zdiffstore: (db: Db, args: Args) => Reply = storing("diff");

export function zintercard(db: Db, args: Args): Reply {
  const plan = parse(db, args, 1, "inter", false, true, "zintercard");
  return compute(db, "inter", plan).size;
}
