import { count, element, field, float, integer, key, value } from "../values.ts";
import { oneKey, oneWord, option, several } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";
import { scanOptions } from "./scans.ts";

const ofField: MakeArguments = (random) => [key(random), field(random)];
const ofFields: MakeArguments = (random) => [key(random), ...several(random, (at) => [element(random, at)])];
const set: MakeArguments = (random) => [
  key(random),
  ...several(random, (at) => [element(random, at), value(random)]),
];

export const HASH_WORDS: Words = {
  HSET: set,
  HMSET: set,
  HSETNX: (random) => [key(random), field(random), value(random)],
  HGET: ofField,
  HMGET: ofFields,
  HDEL: ofFields,
  HLEN: oneKey,
  HSTRLEN: ofField,
  HEXISTS: ofField,
  HKEYS: oneKey,
  HVALS: oneKey,
  HGETALL: oneKey,
  HINCRBY: (random) => [key(random), field(random), integer(random)],
  HINCRBYFLOAT: (random) => [key(random), field(random), float(random)],
  HRANDFIELD: (random) => [
    key(random),
    ...option(random, 0.8, () => [
      count(random),
      ...option(random, 0.5, () => [oneWord(random, "WITHVALUES", "WITHSCORES")]),
    ]),
  ],
  HSCAN: (random) => [key(random), ...scanOptions(random)],
};
