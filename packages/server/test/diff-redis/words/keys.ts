import { NO_KEYS, absoluteTime, anyCase, integer, key, pattern, relativeTime } from "../values.ts";
import { none, oneKey, oneWord, option, shuffled, someKeys } from "./make-arguments.ts";
import type { MakeArguments, Words } from "./make-arguments.ts";

const expire =
  (milliseconds: boolean, absolute: boolean): MakeArguments =>
  (random) => [
    key(random),
    absolute ? absoluteTime(random, milliseconds) : relativeTime(random),
    ...option(random, 0.35, () => [oneWord(random, "NX", "XX", "GT", "LT", "ZZ")]),
    ...option(random, 0.08, () => [oneWord(random, "NX", "XX", "GT", "LT", "\r\nx\r\n", "a\0b", "")]),
  ];

const flush: MakeArguments = (random) => option(random, 0.3, () => [oneWord(random, "ASYNC", "SYNC", "FOO")]);

/** Whatever they hold. */
export const KEY_WORDS: Words = {
  DEL: someKeys,
  UNLINK: someKeys,
  EXISTS: someKeys,
  TOUCH: someKeys,
  TYPE: oneKey,
  EXPIRE: expire(false, false),
  PEXPIRE: expire(true, false),
  EXPIREAT: expire(false, true),
  PEXPIREAT: expire(true, true),
  TTL: oneKey,
  PTTL: oneKey,
  EXPIRETIME: oneKey,
  PEXPIRETIME: oneKey,
  PERSIST: oneKey,
  KEYS: (random) => [pattern(random)],
  SCAN: (random) => [
    // From the beginning, and past the end in one step: other cursors mean something to one server only.
    random.pick([
      "0",
      "0",
      "0",
      "0",
      "0",
      "abc",
      "",
      "99999999999999999999",
      "0 ",
      "-1",
      "+0",
      "18446744073709551616",
    ]),
    ...shuffled(random, [
      ["COUNT", random.pick(["1000", "1000", "1000", "0", "-1", "abc", "9223372036854775808", "01"])],
      option(random, 0.4, () => [anyCase(random, "MATCH"), pattern(random)]),
      option(random, 0.3, () => [
        anyCase(random, "TYPE"),
        oneWord(random, "string", "list", "hash", "set", "zset", "stream", "none", "nosuch", ""),
      ]),
      option(random, 0.04, () => [random.pick(["FOO", "MATCH", "COUNT", "NOVALUES"])]),
    ]),
  ],
  DBSIZE: none,
  RANDOMKEY: none,
  RENAME: (random) => [key(random), key(random)],
  RENAMENX: (random) => [key(random), key(random)],
  COPY: (random) => [
    key(random),
    key(random),
    ...shuffled(random, [
      option(random, 0.4, () => [anyCase(random, "REPLACE")]),
      option(random, 0.2, () => [anyCase(random, "DB"), random.chance(0.6) ? "0" : integer(random)]),
      option(random, 0.03, () => [random.pick(["FOO", "DB"])]),
    ]),
  ],
  MOVE: (random) => [key(random), random.chance(0.4) ? "0" : integer(random)],
  OBJECT: (random) =>
    random.pick([
      [oneWord(random, "ENCODING", "REFCOUNT", "IDLETIME", "FREQ"), random.pick(NO_KEYS)],
      [anyCase(random, "FREQ"), key(random)],
      [oneWord(random, "HELP", "NOSUCH", "ENCODING", "FREQ", "")],
      [oneWord(random, "HELP", "ENCODING"), key(random), key(random)],
    ]),
  FLUSHALL: flush,
  FLUSHDB: flush,
};
