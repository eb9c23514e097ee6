import { count, element, integer, key, member } from "../values.ts";
import { numberedKeys, oneKey, oneWord, option, several, someKeys } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";
import { scanOptions } from "./scans.ts";

const members: MakeArguments = (random) => [key(random), ...several(random, (at) => [element(random, at)])];
const store: MakeArguments = (random) => [key(random), ...someKeys(random)];

export const SET_WORDS: Words = {
  SADD: members,
  SREM: members,
  SISMEMBER: (random) => [key(random), member(random)],
  SMISMEMBER: members,
  SCARD: oneKey,
  SMEMBERS: oneKey,
  // To where it is, seldom by chance alone.
  SMOVE: (random) => {
    const from = key(random);
    return [from, random.chance(0.2) ? from : key(random), member(random)];
  },
  // All of them: of some, each server draws its own (see `drawnAndGone`).
  SPOP: (random) => [
    key(random),
    random.pick(["1000000", "9223372036854775807", "0", "-1", "abc", "", "9223372036854775808"]),
    ...option(random, 0.03, () => ["1"]),
  ],
  SRANDMEMBER: (random) => [key(random), ...option(random, 0.7, () => [count(random)])],
  SSCAN: (random) => [key(random), ...scanOptions(random)],
  SINTER: someKeys,
  SUNION: someKeys,
  SDIFF: someKeys,
  SINTERSTORE: store,
  SUNIONSTORE: store,
  SDIFFSTORE: store,
  SINTERCARD: (random) => [
    ...numberedKeys(random),
    ...option(random, 0.5, () => [
      oneWord(random, "LIMIT", "LIMIT", "LIMIT", "FOO"),
      random.chance(0.7) ? String(random.below(4)) : integer(random),
    ]),
    ...option(random, 0.05, () => ["LIMIT", "1"]),
    ...option(random, 0.02, () => ["LIMIT"]),
  ],
};
