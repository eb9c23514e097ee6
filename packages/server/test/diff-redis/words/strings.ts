import { float, integer, key, keys, offset, relativeTime, value, anyCase } from "../values.ts";
import { expiry, oneKey, oneWord, option, shuffled, someKeys } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";

const pairs: MakeArguments = (random) => keys(random, 4).flatMap((name) => [name, value(random)]);

export const STRING_WORDS: Words = {
  SET: (random) => [
    key(random),
    value(random),
    ...shuffled(random, [
      option(random, 0.2, () => [anyCase(random, "NX")]),
      option(random, 0.2, () => [anyCase(random, "XX")]),
      option(random, 0.2, () => [anyCase(random, "GET")]),
      option(random, 0.1, () => [anyCase(random, "KEEPTTL")]),
      option(random, 0.25, () => expiry(random)),
      option(random, 0.04, () => expiry(random)),
      option(random, 0.03, () => [random.pick(["EX", "FOO", "NXX", "", "PERSIST", "NX\0"])]),
    ]),
  ],
  GET: oneKey,
  MGET: someKeys,
  MSET: pairs,
  MSETNX: pairs,
  INCR: oneKey,
  DECR: oneKey,
  INCRBY: (random) => [key(random), integer(random)],
  DECRBY: (random) => [key(random), integer(random)],
  INCRBYFLOAT: (random) => [key(random), float(random)],
  GETSET: (random) => [key(random), value(random)],
  GETDEL: oneKey,
  GETEX: (random) => [
    key(random),
    ...option(random, 0.6, () => expiry(random)),
    ...option(random, 0.2, () => [anyCase(random, "PERSIST")]),
    ...option(random, 0.05, () => expiry(random)),
    ...option(random, 0.05, () => [random.pick(["KEEPTTL", "NX", "FOO"])]),
  ],
  APPEND: (random) => [key(random), value(random)],
  STRLEN: oneKey,
  SETNX: (random) => [key(random), value(random)],
  SETEX: (random) => [key(random), relativeTime(random), value(random)],
  PSETEX: (random) => [key(random), relativeTime(random), value(random)],
  GETRANGE: (random) => [key(random), offset(random), offset(random)],
  SUBSTR: (random) => [key(random), offset(random), offset(random)],
  SETRANGE: (random) => [key(random), offset(random), value(random)],
  LCS: (random) => [
    key(random),
    key(random),
    ...shuffled(random, [
      option(random, 0.25, () => [oneWord(random, "LEN")]),
      option(random, 0.5, () => [oneWord(random, "IDX")]),
      option(random, 0.3, () => [oneWord(random, "WITHMATCHLEN")]),
      option(random, 0.25, () => [
        oneWord(random, "MINMATCHLEN"),
        random.chance(0.5) ? random.pick(["0", "1", "2", "3"]) : integer(random),
      ]),
      option(random, 0.03, () => [random.pick(["MINMATCHLEN", "FOO", ""])]),
    ]),
  ],
};
