import { count, element, index, integer, key, member, value } from "../values.ts";
import { numberedKeys, oneKey, oneWord, option, several, shuffled } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";

const push: MakeArguments = (random) => [
  key(random),
  ...several(random, (at) => [random.chance(0.3) ? value(random) : element(random, at)]),
];
const pop: MakeArguments = (random) => [key(random), ...option(random, 0.5, () => [count(random)])];
const range: MakeArguments = (random) => [key(random), index(random), index(random)];

export const LIST_WORDS: Words = {
  LPUSH: push,
  RPUSH: push,
  LPUSHX: push,
  RPUSHX: push,
  LPOP: pop,
  RPOP: pop,
  LLEN: oneKey,
  LINDEX: (random) => [key(random), index(random)],
  LSET: (random) => [key(random), index(random), random.chance(0.5) ? value(random) : member(random)],
  LRANGE: range,
  LTRIM: range,
  LINSERT: (random) => [
    key(random),
    oneWord(random, "BEFORE", "AFTER", "BEFORE", "AFTER", "AT"),
    member(random),
    member(random),
  ],
  LREM: (random) => [key(random), random.chance(0.7) ? index(random) : integer(random), member(random)],
  LMOVE: (random) => [
    key(random),
    key(random),
    oneWord(random, "LEFT", "RIGHT", "LEFT", "RIGHT", "LEFT", "RIGHT", "UP"),
    oneWord(random, "LEFT", "RIGHT", "LEFT", "RIGHT", "LEFT", "RIGHT", ""),
  ],
  RPOPLPUSH: (random) => [key(random), key(random)],
  LPOS: (random) => [
    key(random),
    member(random),
    ...shuffled(random, [
      option(random, 0.5, () => [oneWord(random, "RANK"), index(random)]),
      option(random, 0.5, () => [oneWord(random, "COUNT"), index(random)]),
      option(random, 0.3, () => [oneWord(random, "MAXLEN"), index(random)]),
      option(random, 0.03, () => [random.pick(["RANK", "FOO", "COUNT", ""])]),
    ]),
  ],
  LMPOP: (random) => [
    ...numberedKeys(random),
    oneWord(random, "LEFT", "RIGHT", "LEFT", "RIGHT", "MIN"),
    ...option(random, 0.5, () => [oneWord(random, "COUNT", "COUNT", "COUNT", "FOO"), count(random)]),
    ...option(random, 0.05, () => ["COUNT", count(random)]),
  ],
};
