import type { Random } from "../random.ts";
import {
  count,
  element,
  index,
  integer,
  key,
  keys,
  member,
  nameBound,
  oneScoreKey,
  score,
  scoreBound,
} from "../values.ts";
import { numberedKeys, oneKey, oneWord, option, several, shuffled } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";
import { scanOptions } from "./scans.ts";

const ofMember: MakeArguments = (random) => [key(random), member(random)];
const byScore: MakeArguments = (random) => [key(random), scoreBound(random), scoreBound(random)];
const byName: MakeArguments = (random) => [oneScoreKey(random), nameBound(random), nameBound(random)];
const pop: MakeArguments = (random) => [key(random), ...option(random, 0.5, () => [count(random)])];

const limit = (random: Random): string[] => [oneWord(random, "LIMIT"), index(random), index(random)];
const withScores = (random: Random): string[] => [oneWord(random, "WITHSCORES")];

function rangeOptions(random: Random): string[] {
  return shuffled(random, [
    option(random, 0.4, () => withScores(random)),
    option(random, 0.3, () => limit(random)),
    option(random, 0.03, () => [random.pick(["LIMIT", "REV", "BYLEX", "FOO", ""])]),
  ]);
}

/** The key and the bounds of `ZRANGE`, as its options mean them most often. */
function range(random: Random): string[] {
  const by = random.pick(["", "", "BYSCORE", "BYLEX"]);
  const bound = random.chance(0.9) ? by : random.pick(["", "BYSCORE", "BYLEX"]);
  const make = bound === "BYSCORE" ? scoreBound : bound === "BYLEX" ? nameBound : index;
  return [
    by === "BYLEX" || random.chance(0.1) ? oneScoreKey(random) : key(random),
    make(random),
    make(random),
    ...shuffled(random, [
      by === "" ? [] : [oneWord(random, by)],
      option(random, 0.3, () => [oneWord(random, "REV")]),
      option(random, by === "" ? 0.05 : 0.4, () => limit(random)),
      option(random, 0.3, () => withScores(random)),
      option(random, 0.03, () => [random.pick(["LIMIT", "REV", "BYLEX", "BYSCORE", "FOO", ""])]),
    ]),
  ];
}

/** Keys, and how what they hold becomes one. */
function combined(random: Random): string[] {
  const named = numberedKeys(random);
  const weights = (): string[] => [
    oneWord(random, "WEIGHTS"),
    ...Array.from({ length: named.length - 1 }, () => score(random)),
    ...option(random, 0.04, () => ["1"]),
  ];
  return [
    ...named,
    ...shuffled(random, [
      option(random, 0.35, weights),
      option(random, 0.35, () => [
        oneWord(random, "AGGREGATE"),
        oneWord(random, "SUM", "MIN", "MAX", "SUM", "MIN", "MAX", "AVG"),
      ]),
      option(random, 0.03, () => [random.pick(["WEIGHTS", "AGGREGATE", "FOO", ""])]),
    ]),
  ];
}

const answered: MakeArguments = (random) => [
  ...combined(random),
  ...option(random, 0.4, () => withScores(random)),
];
const stored: MakeArguments = (random) => [
  key(random),
  ...combined(random),
  ...option(random, 0.04, () => withScores(random)),
];

const addedScores: MakeArguments = (random) => [
  key(random),
  ...option(random, 0.2, () => [oneWord(random, "NX", "XX")]),
  ...option(random, 0.2, () => [oneWord(random, "GT", "LT")]),
  ...option(random, 0.2, () => [oneWord(random, "CH")]),
  ...option(random, 0.15, () => [oneWord(random, "INCR")]),
  ...option(random, 0.05, () => [oneWord(random, "NX", "XX", "GT", "LT", "FOO", "")]),
  ...(random.chance(0.4)
    ? [score(random), member(random)]
    : several(random, (at) => [score(random), element(random, at)])),
];

const addedNames: MakeArguments = (random) => [
  oneScoreKey(random),
  ...option(random, 0.2, () => [oneWord(random, "NX", "XX", "CH")]),
  ...several(random, (at) => ["0", element(random, at)]),
];

export const SORTED_SET_WORDS: Words = {
  ZADD: (random) => (random.chance(0.25) ? addedNames(random) : addedScores(random)),
  ZINCRBY: (random) => [key(random), score(random), member(random)],
  ZREM: (random) => [key(random), ...several(random, (at) => [element(random, at)])],
  ZCARD: oneKey,
  ZSCORE: ofMember,
  ZMSCORE: (random) => [key(random), ...several(random, (at) => [element(random, at)])],
  ZRANK: ofMember,
  ZREVRANK: ofMember,
  ZCOUNT: byScore,
  ZLEXCOUNT: byName,
  ZREMRANGEBYRANK: (random) => [key(random), index(random), index(random)],
  ZREMRANGEBYSCORE: byScore,
  ZREMRANGEBYLEX: byName,
  ZPOPMIN: pop,
  ZPOPMAX: pop,
  ZMPOP: (random) => [
    ...numberedKeys(random),
    oneWord(random, "MIN", "MAX", "MIN", "MAX", "LEFT"),
    ...option(random, 0.5, () => [oneWord(random, "COUNT", "COUNT", "COUNT", "FOO"), count(random)]),
    ...option(random, 0.05, () => ["COUNT", count(random)]),
  ],
  ZRANGE: range,
  ZRANGESTORE: (random) => [key(random), ...range(random)],
  ZREVRANGE: (random) => [key(random), index(random), index(random), ...rangeOptions(random)],
  ZRANGEBYSCORE: (random) => [...byScore(random), ...rangeOptions(random)],
  ZREVRANGEBYSCORE: (random) => [...byScore(random), ...rangeOptions(random)],
  ZRANGEBYLEX: (random) => [...byName(random), ...rangeOptions(random)],
  ZREVRANGEBYLEX: (random) => [...byName(random), ...rangeOptions(random)],
  ZRANDMEMBER: (random) => [
    key(random),
    ...option(random, 0.8, () => [
      count(random),
      ...option(random, 0.5, () => [oneWord(random, "WITHSCORES", "WITHVALUES")]),
    ]),
  ],
  ZSCAN: (random) => [key(random), ...scanOptions(random)],
  ZUNION: answered,
  ZINTER: answered,
  ZDIFF: (random) => [
    ...numberedKeys(random),
    ...option(random, 0.4, () => withScores(random)),
    ...option(random, 0.05, () => ["WEIGHTS", "1"]),
  ],
  ZUNIONSTORE: stored,
  ZINTERSTORE: stored,
  ZDIFFSTORE: (random) => [
    key(random),
    ...numberedKeys(random),
    ...option(random, 0.05, () => withScores(random)),
  ],
  ZINTERCARD: (random) => [
    ...numberedKeys(random),
    ...option(random, 0.5, () => [
      oneWord(random, "LIMIT", "LIMIT", "LIMIT", "FOO"),
      random.chance(0.7) ? String(random.below(4)) : integer(random),
    ]),
    ...option(random, 0.05, () => keys(random, 2)),
  ],
};
