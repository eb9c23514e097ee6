/** How to make arguments for each command, good ones more often than bad ones. */
import type { Random } from "./random.ts";
import * as values from "./values.ts";

export type MakeArguments = (random: Random) => string[];

const { key, keys, value, integer, float, offset, relativeTime, absoluteTime, pattern, anyCase } = values;

/** Later than the deadlines that Seshat keeps exactly, or near. */
const LATE_MS = 2e14;

const one: MakeArguments = (random) => [key(random)];
const some: MakeArguments = (random) => keys(random, 4);
const pairs: MakeArguments = (random) => keys(random, 4).flatMap((name) => [name, value(random)]);
const none: MakeArguments = () => [];

function option(random: Random, probability: number, make: () => string[]): string[] {
  return random.chance(probability) ? make() : [];
}

function expiry(random: Random): string[] {
  const name = random.pick(["EX", "PX", "EXAT", "PXAT"]);
  const time = name.endsWith("AT") ? absoluteTime(random, name === "PXAT") : relativeTime(random);
  return [anyCase(random, name), time];
}

function shuffled(random: Random, groups: readonly string[][]): string[] {
  const rest = [...groups];
  const out: string[] = [];
  while (rest.length > 0) out.push(...(rest.splice(random.below(rest.length), 1)[0] ?? []));
  return out;
}

const expire =
  (milliseconds: boolean, absolute: boolean): MakeArguments =>
  (random) => {
    const name = key(random);
    const time = absolute ? absoluteTime(random, milliseconds) : relativeTime(random);
    const options = [
      ...option(random, 0.35, () => [anyCase(random, random.pick(["NX", "XX", "GT", "LT", "ZZ"]))]),
      ...option(random, 0.08, () => [anyCase(random, random.pick(["NX", "XX", "GT", "LT"]))]),
    ];
    // Of two deadlines after the year 10889 neither is later to Seshat: so which is, is not asked.
    const compares = options.some((word) => /^[gl]t$/i.test(word));
    const late = Number(time) * (milliseconds ? 1 : 1000) > LATE_MS;
    return [name, compares && late ? "100000000" : time, ...options];
  };

/** Value ranks 1 to 6, as far as Redis 7.0 knows them: what both servers have to have. */
export const COMMANDS: Readonly<Record<string, MakeArguments>> = {
  // Connections.
  PING: (random) => option(random, 0.3, () => [value(random)]),
  ECHO: (random) => [value(random)],
  SELECT: (random) => [random.pick(["0", "0", "0", "1", "16", "-1", "abc", "", "9223372036854775807"])],
  HELLO: (random) => [
    ...option(random, 0.9, () => [random.pick(["2", "3", "2", "3", "1", "4", "abc", "", "-1"])]),
    ...option(random, 0.1, () => ["AUTH", "default", value(random)]),
    ...option(random, 0.15, () => [anyCase(random, "SETNAME"), random.pick(["me", "no spaces", "", "a\nb"])]),
    ...option(random, 0.05, () => [value(random)]),
  ],
  AUTH: (random) => (random.chance(0.5) ? [value(random)] : ["default", value(random)]),
  CLIENT: (random) =>
    random.pick([
      ["SETNAME", random.pick(["me", "you", "no spaces", "", "\x7f"])],
      ["GETNAME"],
      ["ID"],
      ["NOSUCH"],
      ["SETNAME"],
      ["GETNAME", "x"],
      ["setname", "lower"],
    ]),
  RESET: none,
  QUIT: none,
  // Strings.
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
      option(random, 0.03, () => [random.pick(["EX", "FOO", "NXX", ""])]),
    ]),
  ],
  GET: one,
  DEL: some,
  UNLINK: some,
  EXISTS: some,
  MGET: some,
  MSET: pairs,
  MSETNX: pairs,
  INCR: one,
  DECR: one,
  INCRBY: (random) => [key(random), integer(random)],
  DECRBY: (random) => [key(random), integer(random)],
  INCRBYFLOAT: (random) => [key(random), float(random)],
  GETSET: (random) => [key(random), value(random)],
  GETDEL: one,
  GETEX: (random) => [
    key(random),
    ...option(random, 0.6, () => expiry(random)),
    ...option(random, 0.2, () => [anyCase(random, "PERSIST")]),
    ...option(random, 0.05, () => [random.pick(["KEEPTTL", "NX", "FOO"])]),
  ],
  APPEND: (random) => [key(random), value(random)],
  STRLEN: one,
  SETNX: (random) => [key(random), value(random)],
  SETEX: (random) => [key(random), relativeTime(random), value(random)],
  PSETEX: (random) => [key(random), relativeTime(random), value(random)],
  GETRANGE: (random) => [key(random), offset(random), offset(random)],
  SETRANGE: (random) => [key(random), offset(random), value(random)],
  // Keys.
  EXPIRE: expire(false, false),
  PEXPIRE: expire(true, false),
  EXPIREAT: expire(false, true),
  PEXPIREAT: expire(true, true),
  TTL: one,
  PTTL: one,
  EXPIRETIME: one,
  PEXPIRETIME: one,
  PERSIST: one,
  TYPE: one,
  KEYS: (random) => [pattern(random)],
  SCAN: (random) => [
    // From the beginning, and past the end in one step: other cursors mean something to one server only.
    random.pick(["0", "0", "0", "0", "abc", "", "99999999999999999999", "0 "]),
    ...shuffled(random, [
      ["COUNT", random.pick(["1000", "1000", "1000", "0", "-1", "abc"])],
      option(random, 0.4, () => [anyCase(random, "MATCH"), pattern(random)]),
      option(random, 0.2, () => [
        anyCase(random, "TYPE"),
        random.pick(["string", "list", "STRING", "nosuch"]),
      ]),
      option(random, 0.04, () => [random.pick(["FOO", "MATCH", "COUNT"])]),
    ]),
  ],
  DBSIZE: none,
  RANDOMKEY: none,
  RENAME: (random) => [key(random), key(random)],
  FLUSHALL: (random) => option(random, 0.3, () => [anyCase(random, random.pick(["ASYNC", "SYNC", "FOO"]))]),
  FLUSHDB: (random) => option(random, 0.3, () => [anyCase(random, random.pick(["ASYNC", "SYNC", "FOO"]))]),
  // Transactions.
  MULTI: none,
  EXEC: none,
  DISCARD: none,
  WATCH: some,
  UNWATCH: none,
  // What tools and clients ask first.
  COMMAND: (random) =>
    random.pick([
      ["COUNT", "x"],
      ["NOSUCH"],
      ["INFO", random.pick(["get", "SET", "nosuch", "mset", "expire"])],
      ["GETKEYS", "MSET", "a", "1", "b", "2"],
      ["GETKEYS", "SET", "a", "1"],
      ["GETKEYS", "GET"],
      ["GETKEYS", "PING"],
      ["GETKEYS", "nosuch"],
    ]),
  CONFIG: (random) => random.pick([["GET", "nosuch"], ["NOSUCH"], ["GET"], ["SET", "nosuch", "1"]]),
};

/** More of Redis 7.0: tested as soon as the other server says that it has them. */
export const FURTHER_COMMANDS: Readonly<Record<string, MakeArguments>> = {
  RENAMENX: (random) => [key(random), key(random)],
  TOUCH: some,
  COPY: (random) => [key(random), key(random), ...option(random, 0.3, () => [anyCase(random, "REPLACE")])],
  SUBSTR: (random) => [key(random), offset(random), offset(random)],
  LCS: (random) => [
    key(random),
    key(random),
    ...option(random, 0.3, () => [anyCase(random, random.pick(["LEN", "IDX", "WITHMATCHLEN"]))]),
    ...option(random, 0.1, () => ["MINMATCHLEN", integer(random)]),
  ],
  // Other types, so that keys hold them when a command for strings comes.
  RPUSH: (random) => [key(random), value(random)],
  LRANGE: (random) => [key(random), "0", "-1"],
  HSET: (random) => [key(random), "field", value(random)],
  HGETALL: one,
  SADD: (random) => [key(random), value(random)],
  SMEMBERS: one,
  ZADD: (random) => [key(random), float(random), random.pick(["m", "n"])],
  ZSCORE: (random) => [key(random), random.pick(["m", "n"])],
};

/** How much more often than once. The rest of the time is for the states that others bring about. */
export const WEIGHTS: Readonly<Record<string, number>> = {
  SET: 12,
  GET: 5,
  MULTI: 2,
  EXEC: 2,
  WATCH: 2,
  GETEX: 3,
  APPEND: 2,
  SETRANGE: 3,
  GETRANGE: 3,
  INCRBYFLOAT: 4,
  INCRBY: 2,
  EXPIRE: 3,
  PEXPIRE: 2,
  EXPIREAT: 2,
  PEXPIREAT: 2,
  TTL: 2,
  EXPIRETIME: 2,
  PEXPIRETIME: 2,
  SCAN: 2,
  FLUSHALL: 0.2,
  FLUSHDB: 0.2,
  QUIT: 0.1,
  RESET: 0.3,
  AUTH: 0.3,
  COMMAND: 0.5,
  CONFIG: 0.5,
};
