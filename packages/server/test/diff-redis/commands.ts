import { CONNECTION_WORDS } from "./words/connections.ts";
import { DATA_WORDS } from "./words/data-words.ts";
import { HASH_WORDS } from "./words/hashes.ts";
import { LIST_WORDS } from "./words/lists.ts";
import type { Words } from "./words/make-arguments.ts";
import { SET_WORDS } from "./words/sets.ts";
import { SORTED_SET_WORDS } from "./words/sorted-sets.ts";
import { STRING_WORDS } from "./words/strings.ts";

/** All that is tested: what Seshat has of Redis 7.0, and how to make arguments for it. */
export const COMMANDS: Words = { ...CONNECTION_WORDS, ...DATA_WORDS };

/** Of one type each: a case is about one of them, so that its commands meet. */
export const GROUPS: readonly Words[] = [STRING_WORDS, HASH_WORDS, LIST_WORDS, SET_WORDS, SORTED_SET_WORDS];

/** How much more often than once. The rest of the time is for the states that others bring about. */
export const WEIGHTS: Readonly<Record<string, number>> = {
  SET: 10,
  GET: 4,
  DEL: 2,
  MULTI: 3,
  EXEC: 3,
  WATCH: 3,
  GETEX: 3,
  APPEND: 2,
  SETRANGE: 3,
  GETRANGE: 3,
  INCRBYFLOAT: 4,
  INCRBY: 2,
  EXPIRE: 4,
  PEXPIRE: 3,
  EXPIREAT: 3,
  PEXPIREAT: 3,
  TTL: 3,
  PTTL: 2,
  EXPIRETIME: 3,
  PEXPIRETIME: 3,
  SCAN: 2,
  HSET: 5,
  HGETALL: 2,
  RPUSH: 5,
  LPUSH: 2,
  LRANGE: 2,
  LPOS: 2,
  SADD: 6,
  ZADD: 8,
  ZINCRBY: 2,
  ZRANGE: 4,
  ZRANGESTORE: 2,
  ZUNIONSTORE: 2,
  ZUNION: 2,
  ZINTER: 2,
  FLUSHALL: 0.2,
  FLUSHDB: 0.2,
  QUIT: 0.1,
  RESET: 0.3,
  AUTH: 0.3,
  COMMAND: 1,
  CONFIG: 0.5,
};
