import { REDIS_MAX_BYTES } from "../config.js";
import { Refusal, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import { text } from "../reply.js";
import type { Db } from "../store/db.js";
import { WORK } from "../work.js";
import { integerArgument, word } from "./parse.js";

type Args = readonly Uint8Array[];

const NO_STRINGS = new Refusal("ERR The specified keys must contain string values");
const BOTH = new Refusal("ERR If you want both the length and indexes, please just use IDX.");
const TOO_MUCH = new Refusal("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");

interface Options {
  readonly length: boolean;
  readonly indexes: boolean;
  readonly withMatchLength: boolean;
  readonly minMatchLength: number;
}

/** Where a part of both strings that is the same stands in the one and in the other, and how long it is. */
interface Match {
  readonly a: number;
  readonly b: number;
  readonly length: number;
}

/** `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]`: the longest common subsequence of two strings. */
export function lcs(db: Db, args: Args): Reply {
  const a = stringAt(db, args[1] as Uint8Array);
  const b = stringAt(db, args[2] as Uint8Array);
  const { length, indexes, withMatchLength, minMatchLength } = parse(args);
  if ((a.length + 1) * (b.length + 1) * 4 > REDIS_MAX_BYTES) throw TOO_MUCH;
  db.work.charge((a.length + 1) * (b.length + 1) * WORK.cell);
  const table = fill(a, b);
  const total = table[table.length - 1] as number;
  if (length) return total;
  const { common, matches } = trace(a, b, table);
  if (!indexes) return common;
  const shown = matches.filter((match) => match.length >= minMatchLength);
  return {
    type: "map",
    entries: [
      [text("matches"), shown.map((match) => describe(match, withMatchLength))],
      [text("len"), total],
    ],
  };
}

function stringAt(db: Db, key: Uint8Array): Uint8Array {
  if (!db.locate(key)) return new Uint8Array(0);
  const value = db.view();
  if (!(value instanceof Uint8Array)) throw NO_STRINGS;
  return value;
}

function parse(args: Args): Options {
  let length = false;
  let indexes = false;
  let withMatchLength = false;
  let minMatchLength = 0;
  for (let at = 3; at < args.length; at++) {
    const option = word(args[at]);
    if (option === "IDX") {
      indexes = true;
    } else if (option === "LEN") {
      length = true;
    } else if (option === "WITHMATCHLEN") {
      withMatchLength = true;
    } else if (option === "MINMATCHLEN" && at + 1 < args.length) {
      minMatchLength = Number(integerArgument(args[at + 1]));
      at += 1;
    } else {
      throw SYNTAX_ERROR;
    }
  }
  if (length && indexes) throw BOTH;
  return { length, indexes, withMatchLength, minMatchLength };
}

/** The lengths for all beginnings of `a` (rows) and of `b`. */
function fill(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array(width * (a.length + 1));
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1] as number;
    const row = i * width;
    let left = 0;
    let aboveLeft = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = table[row - width + j] as number;
      if (byte === b[j - 1]) left = aboveLeft + 1;
      else if (above > left) left = above;
      table[row + j] = left;
      aboveLeft = above;
    }
  }
  return table;
}

/** Walks back from the end: the subsequence, and the parts that it consists of, the last one first. */
function trace(a: Uint8Array, b: Uint8Array, table: Uint32Array): { common: Uint8Array; matches: Match[] } {
  const width = b.length + 1;
  const common = new Uint8Array(table[table.length - 1] as number);
  const matches: Match[] = [];
  let left = common.length;
  let i = a.length;
  let j = b.length;
  let length = 0;
  const close = (): void => {
    if (length > 0) matches.push({ a: i, b: j, length });
    length = 0;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i -= 1;
      j -= 1;
      left -= 1;
      length += 1;
      common[left] = a[i] as number;
    } else {
      close();
      if ((table[(i - 1) * width + j] as number) > (table[i * width + j - 1] as number)) i -= 1;
      else j -= 1;
    }
  }
  close();
  return { common, matches };
}

function describe({ a, b, length }: Match, withLength: boolean): Reply {
  const ranges: Reply[] = [
    [a, a + length - 1],
    [b, b + length - 1],
  ];
  return withLength ? [...ranges, length] : ranges;
}
