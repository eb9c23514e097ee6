import { CaseRandom } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import { resolve, run } from "../src/commands/execute.js";
import { decodeKvEntry } from "../src/entry-codec.js";
import type { Reply } from "../src/index.js";
import { encodeKvEntry } from "../src/index.js";
import { writeSnapshot } from "../src/snapshot/write-snapshot.js";
import { Db } from "../src/store/db.js";
import { MAX_WORK, SMALL_WORK } from "../src/work.js";
import { Node, command } from "./node.js";
import { randomEntry } from "./random-commands.js";

const TOO_DEAR =
  "-ERR the command was not carried out: it takes more than 2000000000 units of work, ask for less at once";
const NOT_TOGETHER =
  "-TRYAGAIN The command was not carried out: together with what came in with it, it takes more than 2000000000 units of work";

const MANY = 20_000;
const many = <T>(make: (i: number) => T): T[] => Array.from({ length: MANY }, (_, i) => make(i));

/** A node with collections of 20,000 elements, as many keys, and two strings of as many bytes. */
function large(): Node {
  const node = new Node();
  node.run(["SADD", "set", ...many((i) => `m${i}`)]);
  node.run(["SADD", "other", ...many((i) => `m${2 * i}`)]);
  node.run(["HSET", "hash", ...many((i) => [`f${i}`, "v"]).flat()]);
  node.run(["RPUSH", "list", ...many((i) => (i % 2 === 0 ? "even" : "odd"))]);
  node.run(["ZADD", "zset", ...many((i) => [String(i), `m${i}`]).flat()]);
  node.run(["MSET", ...many((i) => [`k${i}`, "v"]).flat()]);
  node.run(["SET", "text", "t".repeat(MANY)]);
  node.run(["SET", "short", "s".repeat(100)]);
  return node;
}

describe("what takes long is charged for it", () => {
  const node = large();
  const draw = String(-MANY);
  test.each(
    [
      ["KEYS nope", 200],
      ["SCAN 0 COUNT 20000", 200],
      ["SCAN 0 COUNT 20000 MATCH *[abcdefghijklmnopqrstuvwxy]", 300],
      ["SMEMBERS set", 300],
      ["SSCAN set 0 COUNT 20000", 300],
      ["SSCAN set 0 COUNT 20000 MATCH *[abcdefghijklnopqrstuvwxy]", 400],
      ["SINTER set other", 2000],
      ["SINTERCARD 2 set other LIMIT 9000", 1000],
      ["SUNION set other", 2000],
      ["SDIFF set other", 2000],
      [`SRANDMEMBER set ${draw}`, 300],
      ["SRANDMEMBER set 1000", 200],
      ["SINTERSTORE to set other", 2000],
      ["SUNIONSTORE to set other", 2000],
      ["SDIFFSTORE to set other", 2000],
      ["COPY set to REPLACE", 20],
      ["SPOP to 15000", 1000],
      [["SADD", "to", ...many((i) => `n${i}`)].join(" "), 1200],
      [["SREM", "to", ...many((i) => `n${i}`)].join(" "), 1200],
      [["SMISMEMBER", "set", ...many(() => "x")].join(" "), 800],
      ["HGETALL hash", 500],
      ["HKEYS hash", 300],
      ["HVALS hash", 300],
      ["HSCAN hash 0 COUNT 20000", 500],
      [`HRANDFIELD hash ${draw}`, 300],
      ["COPY hash tohash REPLACE", 20],
      [["HMGET", "hash", ...many(() => "f1")].join(" "), 800],
      [["HSET", "tohash", ...many((i) => `g${i} v`)].join(" "), 1200],
      [["HDEL", "tohash", ...many((i) => `g${i}`)].join(" "), 1200],
      ["LRANGE list 0 -1", 400],
      ["LPOS list nope", 50],
      ["LPOS list nope RANK -1", 50],
      ["LINSERT list BEFORE nope x", 50],
      ["LREM list 0 nope", 50],
      ["COPY list tolist REPLACE", 20],
      ["LREM tolist -5000 odd", 100],
      ["LTRIM tolist 5000 -5001", 200],
      ["LPOP tolist 5000", 100],
      [["RPUSH", "tolist", ...many(() => "x")].join(" "), 600],
      ["ZRANGE zset 0 -1", 400],
      ["ZRANGEBYSCORE zset -inf +inf", 400],
      [`ZRANDMEMBER zset ${draw}`, 500],
      ["ZSCAN zset 0 COUNT 20000", 500],
      ["ZUNION 2 zset set", 4000],
      ["ZINTER 2 zset set", 2000],
      ["ZINTERCARD 2 zset set LIMIT 9000", 1000],
      ["ZDIFF 2 zset other", 2000],
      ["ZUNIONSTORE z2 2 zset set", 4000],
      ["ZINTERSTORE z2 2 zset set", 2000],
      ["ZDIFFSTORE z2 2 zset other", 2000],
      ["ZRANGESTORE z2 zset 0 -1", 2000],
      ["COPY zset z2 REPLACE", 20],
      ["ZPOPMIN z2 5000", 400],
      ["ZREMRANGEBYRANK z2 0 4999", 400],
      ["ZREMRANGEBYSCORE z2 -inf 14999", 400],
      ["ZREMRANGEBYLEX z2 - +", 400],
      [["ZADD", "z2", ...many((i) => `${i} m${i}`)].join(" "), 2000],
      [["ZREM", "z2", ...many((i) => `m${i}`)].join(" "), 2000],
      [["ZMSCORE", "zset", ...many(() => "x")].join(" "), 800],
      ["LCS text short", 300],
      ["GET text", 1],
      ["GETRANGE text 0 -1", 1],
      ["MGET text text", 2],
      ["APPEND text t", 1],
      ["SETRANGE text 0 t", 1],
      ["EXPIRE text 1000", 1],
      ["PERSIST text", 1],
      ["GETEX text EX 1000", 2],
      ["SET text t IFEQ x", 1],
      ["COPY text totext REPLACE", 1],
      ["RENAME totext totext2", 1],
      ["GETDEL totext2", 1],
      ["INCRBYFLOAT float 1e4000", 25],
      ["HINCRBYFLOAT floats f 1e4000", 25],
    ].map(([words, each]) => [String(words).slice(0, 40), words, each] as [string, string, number]),
  )("%s", (_, words, each) => {
    const reply = node.run(words);
    expect(typeof reply === "string" && reply.startsWith("-")).toBe(false);
    expect(node.machine.work).toBeGreaterThanOrEqual(MANY * each);
  });
});

test("what is done at once is charged little, however much there is", () => {
  const node = large();
  for (const words of [
    "GET k1",
    "STRLEN text",
    "GETRANGE text 0 9",
    "SET k1 v",
    "INCR number",
    "DEL k2",
    "SCAN 0",
    "RANDOMKEY",
    "DBSIZE",
    "EXPIRE set 1000",
    "RENAME set set2",
    "SISMEMBER set2 m1",
    "SADD set2 x",
    "SREM set2 x",
    "SRANDMEMBER set2",
    "SSCAN set2 0",
    "SCARD set2",
    "HGET hash f1",
    "HSET hash f1 x",
    "HINCRBY hash n 1",
    "HRANDFIELD hash",
    "LPUSH list x",
    "RPOP list",
    "LINDEX list 10000",
    "LSET list 10000 x",
    "LRANGE list 0 9",
    "LTRIM list 1 -1",
    "LMOVE list list LEFT RIGHT",
    "ZADD zset 1 x",
    "ZRANK zset x",
    "ZCOUNT zset 1 100",
    "ZRANGE zset 100 109 WITHSCORES",
    "ZRANGEBYSCORE zset 1 20000 LIMIT 5 5",
    "ZPOPMIN zset",
    "ZREM zset x",
    "ZRANDMEMBER zset",
    "INCRBYFLOAT small 1.5",
    "FLUSHALL",
  ]) {
    node.run(words);
    expect([words, node.machine.work < SMALL_WORK / 2]).toEqual([words, true]);
  }
});

describe("what is too much", () => {
  const sets = (count: number): string[] => Array.from({ length: count }, () => "set");

  test("for any entry is refused before it is begun, written or read, alone or in a transaction", () => {
    const node = large();
    expect(node.run(["SUNIONSTORE", "to", ...sets(1000)])).toBe(TOO_DEAR);
    expect(node.machine.work).toBeLessThan(MAX_WORK);
    expect(node.read(["SUNION", ...sets(1000)])).toBe(TOO_DEAR);
    expect(node.read("EXISTS to")).toBe(0);
    const all = ["SET done 1", ["SUNIONSTORE", "to", ...sets(1000)].join(" "), "INCR done"];
    expect(node.transaction(all)).toEqual(["+OK", TOO_DEAR, 2]);
  });

  test("together is refused where it becomes too much, and what is little is carried out still, for a while", () => {
    const node = large();
    node.run(["RPUSH", "dear", ...Array.from({ length: 100 }, () => "x".repeat(65_536))]);
    node.run(["RPUSH", "little", "x".repeat(65_536)]);
    const dear = Array.from({ length: 400 }, () => "COPY dear to REPLACE");
    const little = Array.from({ length: 20_000 }, () => "COPY little to2 REPLACE");
    const replies = node.transaction([...dear, "INCR done", ...little, "INCR done"]) as unknown[];
    const refused = replies.indexOf(NOT_TOGETHER);
    expect(refused).toBeGreaterThan(250);
    expect(refused).toBeLessThan(306);
    expect(new Set(replies.slice(refused, 400))).toEqual(new Set([NOT_TOGETHER]));
    const given = replies.slice(401, -1);
    const ended = given.indexOf(NOT_TOGETHER);
    expect(ended).toBeGreaterThan(10_000);
    expect(new Set(given.slice(0, ended))).toEqual(new Set([1]));
    expect(new Set(given.slice(ended))).toEqual(new Set([NOT_TOGETHER]));
    expect([replies[400], replies.at(-1)]).toEqual([1, 2]);
    // Each entry anew.
    expect(node.transaction(["COPY dear to REPLACE"])).toEqual([1]);
  });

  test("was not so in a log from before there was a bound: what was done then is done again", () => {
    const node = large();
    const parts = [{ type: "command" as const, args: command(["SUNIONSTORE", "to", ...sets(100)]) }];
    const encoded = encodeKvEntry({ timeMs: 1, seed: 1, parts });
    const apply = (version: number): readonly Reply[] =>
      node.machine.apply(++node.index, { data: encoded.with(0, version) }).replies;
    expect(apply(2)).toEqual([{ type: "error", message: TOO_DEAR.slice(1) }]);
    expect(apply(1)).toEqual([MANY]);
  });
});

test("what is refused has changed nothing, wherever in a command that is found out", () => {
  const refusals = new Set([TOO_DEAR.slice(1), NOT_TOGETHER.slice(1)]);
  let refused = 0;
  for (let seed = 0; seed < 30; seed++) {
    const random = new CaseRandom(seed);
    const db = new Db({ k0: 1, k1: 2 });
    const content = (): Buffer => Buffer.concat([...writeSnapshot(db.capture(), true)]);
    for (let index = 1; index <= 300; index++) {
      const parts = partsOf(randomEntry(random, 1000));
      for (const args of parts) {
        const found = resolve(args);
        if ("message" in found) continue;
        db.beginApply(index, 1000);
        db.random.reseed(index, 0);
        const before = content();
        const { usedBytes } = db;
        db.work.begin(random.integer(200, random.pick([2000, 4000, 40_000])));
        db.work.beginCommand(args);
        const reply = run(db, found, args);
        if (!isRefusal(reply, refusals)) continue;
        refused += 1;
        expect([found.name, db.usedBytes, content().equals(before)]).toEqual([found.name, usedBytes, true]);
      }
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

test.each([
  ["SMOVE set other m1", 1],
  ["SPOP set 3", expect.anything()],
  ["SUNIONSTORE list set other", 4],
  ["LMOVE list more LEFT RIGHT", expect.anything()],
  ["LMOVE list list LEFT RIGHT", expect.anything()],
  ["LMPOP 2 none list LEFT COUNT 2", expect.anything()],
  ["LREM list 0 a", 2],
  ["LTRIM list 1 1", { type: "simple", text: "OK" }],
  ["LINSERT list AFTER b c", 5],
  ["ZMPOP 1 zset MIN COUNT 2", expect.anything()],
  ["ZUNIONSTORE set 2 zset other", 4],
  ["ZRANGESTORE set zset 0 1", 2],
  ["HINCRBYFLOAT hash f 1", expect.anything()],
  ["COPY list set REPLACE", 1],
  ["RENAME text set", { type: "simple", text: "OK" }],
  ["GETEX text EX 100", expect.anything()],
  ["APPEND text x", 2001],
  ["SETRANGE text 5 x", 2000],
] as [string, unknown][])("at whatever step it is refused, %s has changed nothing", (words, expected) => {
  const refusals = new Set([TOO_DEAR.slice(1), NOT_TOGETHER.slice(1)]);
  const args = command(words);
  let most = 0;
  for (let reply: Reply = null; most < 1_000_000; most += 25) {
    const db = new Db({ k0: 1, k1: 2 });
    db.beginApply(1, 1000);
    const setUp = [
      "SADD set m1 m2 m3",
      "SADD other m4",
      "RPUSH list a b a b",
      "RPUSH more z",
      "ZADD zset 1 a 2 b 3 c",
    ];
    for (const each of [...setUp, "HSET hash f 1", `SET text ${"t".repeat(2000)}`]) {
      const made = command(each);
      const found = resolve(made);
      if (!("message" in found)) run(db, found, made);
    }
    const found = resolve(args);
    if ("message" in found) throw new Error(found.message);
    const content = (): Buffer => Buffer.concat([...writeSnapshot(db.capture(), true)]);
    const before = content();
    db.beginApply(2, 1000);
    db.work.begin(most);
    db.work.beginCommand(args);
    reply = run(db, found, args);
    if (!isRefusal(reply, refusals)) {
      expect(reply).toEqual(expected);
      break;
    }
    expect(content().equals(before)).toBe(true);
  }
  expect(most).toBeGreaterThan(0);
});

function isRefusal(reply: Reply, refusals: ReadonlySet<string>): boolean {
  if (reply === null || typeof reply !== "object" || !("type" in reply)) return false;
  return reply.type === "error" && refusals.has(reply.message);
}

/** The commands of an entry, of its transactions too; none where it is no entry. */
function partsOf(data: Uint8Array): (readonly Uint8Array[])[] {
  try {
    return decodeKvEntry(data).parts.flatMap((part) => {
      if (part.type === "command") return [part.args];
      return part.type === "transaction" ? part.commands : [];
    });
  } catch {
    return [];
  }
}
