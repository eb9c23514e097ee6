import type { CaseRandom } from "@seshat/storage/conformance";
import type { EntryPart } from "../src/index.js";
import { encodeKvEntry } from "../src/index.js";

const utf8 = new TextEncoder();
const KEYS = ["a", "b", "c", "key:1", "key:2", "key:3", "long", ""];
const VALUES = ["", "0", "1", "9223372036854775807", "-5", "3.25", "hello", "x".repeat(1500)];

type Make = (random: CaseRandom) => string[];

const key = (random: CaseRandom): string => random.pick(KEYS);
const value = (random: CaseRandom): string => random.pick(VALUES);
const ttl = (random: CaseRandom): string => String(random.integer(-2, 40));

const field = (random: CaseRandom): string =>
  random.pick(["f", "g", "", "7", "y".repeat(300), String(random.integer(0, 400))]);
const score = (random: CaseRandom): string =>
  random.pick(["1", "2.5", "-inf", "inf", "0", String(random.next())]);
const typed = (random: CaseRandom, types: string): string =>
  random.chance(0.03) ? key(random) : random.pick(types.split("")) + random.integer(1, 2);

/** Every command that there is, as clients send it; more of what changes something. */
const COMMANDS: readonly Make[] = [
  (r) => ["SET", key(r), value(r)],
  (r) => ["SET", key(r), value(r), r.pick(["NX", "XX", "GET", "KEEPTTL"])],
  (r) => ["SET", key(r), value(r), r.pick(["EX", "PX", "EXAT", "PXAT"]), ttl(r)],
  (r) => ["SET", key(r), value(r), r.pick(["IFEQ", "IFNE"]), value(r), "GET"],
  (r) => ["DELEX", key(r), r.pick(["IFEQ", "IFNE"]), value(r)],
  (r) => ["SETEX", key(r), ttl(r), value(r)],
  (r) => ["PSETEX", key(r), ttl(r), value(r)],
  (r) => ["SETNX", key(r), value(r)],
  (r) => ["MSET", key(r), value(r), key(r), value(r)],
  (r) => ["MSETNX", key(r), value(r), key(r), value(r)],
  (r) => ["GETSET", key(r), value(r)],
  (r) => ["GETDEL", key(r)],
  (r) => ["GETEX", key(r), r.pick(["PERSIST", "EX"]), ttl(r)],
  (r) => ["GETEX", key(r), "PX", ttl(r)],
  (r) => ["APPEND", key(r), value(r)],
  (r) => ["SETRANGE", key(r), String(r.integer(-1, 1200)), value(r)],
  (r) => ["GETRANGE", key(r), String(r.integer(-3, 3)), String(r.integer(-3, 3))],
  (r) => ["INCR", key(r)],
  (r) => ["DECRBY", key(r), value(r)],
  (r) => ["INCRBYFLOAT", key(r), value(r)],
  (r) => ["MGET", key(r), key(r)],
  (r) => ["STRLEN", key(r)],
  (r) => [r.pick(["DEL", "UNLINK", "EXISTS", "TOUCH"]), key(r), key(r)],
  (r) => [r.pick(["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]), key(r), ttl(r)],
  (r) => ["PEXPIRE", key(r), ttl(r), r.pick(["NX", "XX", "GT", "LT"])],
  (r) => [r.pick(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST", "TYPE"]), key(r)],
  (r) => [r.pick(["RENAME", "RENAMENX", "COPY"]), key(r), key(r)],
  (r) => ["COPY", key(r), key(r), "REPLACE"],
  (r) => ["KEYS", r.pick(["*", "key:*", "?"])],
  (r) => ["SCAN", String(r.integer(0, 2)), "COUNT", String(r.integer(1, 20))],
  () => ["DBSIZE"],
  () => ["RANDOMKEY"],
  (r) => ["OBJECT", r.pick(["ENCODING", "REFCOUNT", "IDLETIME", "FREQ", "NONSENSE"]), key(r)],
  (r) => ["NONSENSE", key(r)],
  (r) => ["LCS", key(r), key(r), r.pick(["IDX", "LEN"])],
  // Each type has keys of its own, most of the time: so collections grow.
  (r) => ["HSET", typed(r, "h"), field(r), value(r), field(r), value(r)],
  (r) => [r.pick(["HDEL", "HGET", "HSTRLEN", "HEXISTS"]), typed(r, "h"), field(r)],
  (r) => [r.pick(["HGETALL", "HKEYS", "HVALS", "HLEN"]), typed(r, "h")],
  (r) => [r.pick(["HINCRBY", "HINCRBYFLOAT"]), typed(r, "h"), field(r), value(r)],
  (r) => ["HSETNX", typed(r, "h"), field(r), value(r)],
  (r) => ["HRANDFIELD", typed(r, "h"), String(r.integer(-4, 4)), "WITHVALUES"],
  (r) => [r.pick(["HSCAN", "SSCAN", "ZSCAN"]), typed(r, "hsz"), "0", "COUNT", "3"],
  (r) => ["SADD", typed(r, "s"), field(r), field(r)],
  (r) => [r.pick(["SREM", "SISMEMBER"]), typed(r, "s"), field(r)],
  (r) => [r.pick(["SPOP", "SRANDMEMBER"]), typed(r, "s"), String(r.integer(0, 3))],
  (r) => ["SMEMBERS", typed(r, "s")],
  (r) => ["SMOVE", typed(r, "s"), typed(r, "s"), field(r)],
  (r) => [r.pick(["SINTER", "SUNION", "SDIFF"]), typed(r, "s"), typed(r, "s")],
  (r) => [r.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), typed(r, "s"), typed(r, "s"), typed(r, "s")],
  (r) => [r.pick(["LPUSH", "RPUSH"]), typed(r, "l"), value(r), value(r), field(r)],
  (r) => [r.pick(["LPOP", "RPOP"]), typed(r, "l"), String(r.integer(0, 2))],
  (r) => ["LRANGE", typed(r, "l"), String(r.integer(-5, 5)), String(r.integer(-5, 5))],
  (r) => ["LTRIM", typed(r, "l"), String(r.integer(0, 2)), String(r.integer(-3, 9))],
  (r) => ["LSET", typed(r, "l"), String(r.integer(-5, 5)), value(r)],
  (r) => ["LINSERT", typed(r, "l"), r.pick(["BEFORE", "AFTER"]), value(r), value(r)],
  (r) => ["LREM", typed(r, "l"), String(r.integer(-1, 1)), value(r)],
  (r) => ["LMOVE", typed(r, "l"), typed(r, "l"), r.pick(["LEFT", "RIGHT"]), r.pick(["LEFT", "RIGHT"])],
  (r) => ["LPOS", typed(r, "l"), value(r), "RANK", "-1", "COUNT", "0"],
  (r) => ["ZADD", typed(r, "z"), score(r), field(r), score(r), field(r)],
  (r) => ["ZADD", typed(r, "z"), r.pick(["GT", "LT", "INCR", "XX"]), score(r), field(r)],
  (r) => ["ZINCRBY", typed(r, "z"), score(r), field(r)],
  (r) => [r.pick(["ZREM", "ZSCORE", "ZRANK"]), typed(r, "z"), field(r)],
  (r) => ["ZRANGE", typed(r, "z"), "0", "-1", "WITHSCORES"],
  (r) => [r.pick(["ZRANGEBYSCORE", "ZREMRANGEBYSCORE", "ZCOUNT"]), typed(r, "z"), score(r), score(r)],
  (r) => [r.pick(["ZPOPMIN", "ZPOPMAX", "ZRANDMEMBER"]), typed(r, "z"), String(r.integer(0, 2))],
  (r) => [
    r.pick(["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"]),
    typed(r, "z"),
    "2",
    typed(r, "zs"),
    typed(r, "zs"),
  ],
  (r) => ["GET", key(r), key(r)],
];

function randomCommand(random: CaseRandom): Uint8Array[] {
  if (random.chance(0.003)) return [utf8.encode("FLUSHALL")];
  return random
    .pick(COMMANDS)(random)
    .map((arg) => utf8.encode(arg));
}

function randomPart(random: CaseRandom): EntryPart {
  if (random.chance(0.02)) {
    return { type: "config", config: { maxMemoryBytes: random.pick([0, 0, 3000]), maxValueBytes: 65_536 } };
  }
  if (random.chance(0.1)) {
    const watched = random.chance(0.5)
      ? [{ key: utf8.encode(key(random)), version: random.integer(0, 3) }]
      : [];
    const commands = Array.from({ length: random.integer(1, 4) }, () => randomCommand(random));
    return { type: "transaction", watched, commands };
  }
  return { type: "command", args: randomCommand(random) };
}

/** An entry as a leader writes it; its clock is sometimes behind. Now and then no entry at all. */
export function randomEntry(random: CaseRandom, timeMs: number): Uint8Array {
  if (random.chance(0.01)) return random.bytes(random.integer(0, 30));
  const parts = Array.from({ length: random.integer(0, 4) }, () => randomPart(random));
  return encodeKvEntry({
    timeMs: Math.max(0, timeMs - random.integer(0, 5)),
    seed: random.integer(0, 2 ** 40),
    parts,
  });
}
