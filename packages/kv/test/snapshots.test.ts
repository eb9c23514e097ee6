import { CodecError } from "@seshat/common";
import { OpenRaftMemStorage } from "@seshat/storage";
import { CaseRandom } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import type { KvTypeConfig } from "../src/index.js";
import { KvStateMachine, encodeKvEntry } from "../src/index.js";
import { Node, command, pieces, snapshotOf } from "./node.js";

/** A node with keys of every type, more than one shard of them, and elements that fill frames. */
function fullNode(keys = 4000): Node {
  const node = new Node();
  const parts = Array.from({ length: keys }, (_, n) => ({
    type: "command" as const,
    args: command(["SET", `key:${n}`, "v".repeat(n % 50)]),
  }));
  node.apply(parts);
  node.run(["SET", "large", "x".repeat(60_000)]);
  node.run(["SET", "soon", "over", "PX", "500"]);
  for (let n = 0; n < 40; n++) {
    const elements = Array.from({ length: 60 }, (_, i) => `element-${n}-${i}-${"y".repeat(20)}`);
    node.run(["RPUSH", "list", ...elements]);
    node.run(["SADD", "set", ...elements]);
    node.run(["HSET", "hash", ...elements.flatMap((element) => [element, element])]);
    node.run(["ZADD", "zset", ...elements.flatMap((element, i) => [String(i % 7), element])]);
  }
  node.configure({ maxKeyBytes: 100, maxMemoryBytes: 100_000_000 });
  return node;
}

async function restored(bytes: Uint8Array, pieceBytes?: number): Promise<Node> {
  const node = new Node();
  await node.machine.restore(pieces(bytes, pieceBytes));
  return node;
}

describe("a snapshot", () => {
  test("is of its moment, also where nearly all keys go while it is written and what is left is changed", () => {
    const node = fullNode();
    // With one key less what is left is gathered: most of it was not touched since the capture.
    node.run(["DEL", ...Array.from({ length: 3943 }, (_, n) => `key:${n}`)]);
    expect(node.machine.size).toBe(63);
    const expected = snapshotOf(node.machine);
    const capture = node.machine.capture();
    node.run(["DEL", "key:3943"]);
    const change = (): void => {
      for (const words of [
        "RPUSH list x",
        "HSET hash x y",
        "SADD set x",
        "ZADD zset 1 x",
        "APPEND key:3999 x",
      ])
        node.run(words);
    };
    change();
    expect(Buffer.concat([...(capture.chunks() as Iterable<Uint8Array>)])).toEqual(Buffer.from(expected));
    change();
    expect([node.read("LLEN list"), node.read("HLEN hash"), node.read("SCARD set")]).toEqual([
      2402, 2401, 2401,
    ]);
  });

  test("brings everything back: values of all types, deadlines, versions, clock, configuration, accounts", async () => {
    const node = fullNode();
    const other = await restored(snapshotOf(node.machine));
    const { machine } = node;
    const facts = (one: KvStateMachine): unknown => [
      one.size,
      one.usedBytes,
      one.clockMs,
      one.deadlines,
      one.config,
    ];
    expect(facts(other.machine)).toEqual(facts(machine));
    for (const words of [
      "GET key:77",
      "STRLEN large",
      "PTTL soon",
      "LRANGE list 0 -1",
      "HGETALL hash",
      "SMEMBERS set",
      "ZRANGE zset 0 -1 WITHSCORES",
    ]) {
      expect(other.read(words)).toEqual(node.read(words));
    }
    for (const key of ["key:1", "list", "soon", "nope"]) expect(other.version(key)).toBe(node.version(key));
    expect(Buffer.compare(snapshotOf(other.machine), snapshotOf(machine))).toBe(0);
  });

  test("consists of chunks of bounded length", () => {
    const lengths = [...(fullNode().machine.capture().chunks() as Iterable<Uint8Array>)].map(
      ({ length }) => length,
    );
    expect(Math.max(...lengths)).toBeLessThanOrEqual(65_536);
    expect(lengths.length).toBeGreaterThan(8);
  });

  test("does not show what is applied while it is written, in any type", () => {
    const node = fullNode();
    const expected = snapshotOf(node.machine);
    const chunks: Uint8Array[] = [];
    let n = 0;
    for (const chunk of node.machine.capture().chunks() as Iterable<Uint8Array>) {
      chunks.push(chunk);
      for (const words of [
        `SET key:${n} changed`,
        `DEL key:${n + 1}`,
        `SET new:${n} 1`,
        "LPUSH list first",
        "LSET list 700 other",
        "RPOP list",
        `HSET hash f${n} v`,
        "HDEL hash element-1-1-yyyyyyyyyyyyyyyyyyyy",
        "SPOP set",
        `ZADD zset 3 m${n}`,
        "ZPOPMIN zset",
        "APPEND large y",
        "COPY list list2 REPLACE",
        "RPUSH list2 x",
        "RENAME list2 list3",
        "LPUSH list3 x",
        "PERSIST soon",
      ]) {
        node.run(words);
      }
      n += 2;
    }
    expect(n).toBeGreaterThan(10);
    expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
    // What is there now is whole too.
    expect(node.read("LINDEX list 0")).toBe("first");
    expect(node.read("ZCARD zset")).toBe(2400);
  });

  test("costs nothing any more once it is written, or given up", () => {
    const node = fullNode(10);
    const chunks = (node.machine.capture().chunks() as Iterable<Uint8Array>)[Symbol.iterator]();
    chunks.next();
    chunks.return?.();
    // Both were given up or written: the elements are changed in place again.
    snapshotOf(node.machine);
    const before = snapshotOf(node.machine);
    node.run("LPUSH list first");
    node.run("LPOP list");
    expect(snapshotOf(node.machine).length).toBe(before.length);
  });

  test.each([1, 7, 4096])("is restored from pieces of %d bytes", async (pieceBytes) => {
    const node = fullNode(50);
    const bytes = snapshotOf(node.machine).slice();
    expect((await restored(bytes, pieceBytes)).machine.size).toBe(node.machine.size);
  });

  test("that is damaged anywhere is refused, and the old state stands", async () => {
    const bytes = snapshotOf(fullNode(30).machine);
    const node = new Node();
    node.run("SET old 1");
    const before = snapshotOf(node.machine);
    const random = new CaseRandom(5);
    for (let n = 0; n < 200; n++) {
      const damaged = bytes.slice();
      const at = n < 60 ? n : random.integer(0, bytes.length - 1);
      damaged[at] = (damaged[at] as number) ^ (1 << random.integer(0, 7));
      await expect(node.machine.restore(pieces(damaged, 50_000))).rejects.toThrow(CodecError);
    }
    for (const length of [0, 3, 8, 100, bytes.length - 8, bytes.length - 1]) {
      await expect(node.machine.restore(pieces(bytes.slice(0, length), 50_000))).rejects.toThrow(CodecError);
    }
    await expect(
      node.machine.restore(pieces(new Uint8Array(Buffer.concat([bytes, bytes.subarray(0, 1)])), 50_000)),
    ).rejects.toThrow(CodecError);
    expect(Buffer.compare(snapshotOf(node.machine), before)).toBe(0);
  });

  test("says what does not fit even where every checksum does", async () => {
    const { frames } = await import("./frames.js");
    // Magic, version, seeded, seed, clock, the three fields of the configuration, the count of keys.
    const HEAD =
      "534b56440101000000010000000200000000000000090300000000000001000000000000010000000000000000000000000000000000";
    const head = (keys: number): number[] => [...Buffer.from(HEAD, "hex"), keys];
    const u64 = (value: number): number[] => [0, 0, 0, 0, 0, 0, 0, value];
    const bytes = (text: string): number[] => [0, 0, 0, text.length, ...Buffer.from(text)];
    const string = (key: string): number[] => [0, ...u64(1), ...u64(0), ...bytes(key), ...bytes("v")];
    const collection = (type: number, key: string, count: number): number[] => [
      type,
      ...u64(1),
      ...u64(0),
      ...bytes(key),
      ...u64(count),
    ];
    const f64 = (value: number): number[] => [...new Uint8Array(new Float64Array([value]).buffer).reverse()];
    const attempt = async (...payloads: number[][]): Promise<string> => {
      try {
        await new KvStateMachine().restore(pieces(frames([...payloads, []])));
        return "restored";
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
        return (error as Error).message;
      }
    };
    expect(await attempt(head(1), string("a"))).toBe("restored");
    expect(await attempt(head(0))).toBe("restored");
    expect(await attempt()).toContain("missing");
    expect(await attempt(head(2), string("a"))).toContain("missing");
    expect(await attempt(head(2), string("a"), string("a"))).toContain("do not rise");
    const orders = [
      await attempt(head(2), string("a"), string("b")),
      await attempt(head(2), string("b"), string("a")),
    ];
    expect(orders.filter((outcome) => outcome === "restored").length).toBe(1);
    expect(await attempt([...head(0).slice(0, 4), 9, ...head(0).slice(5)])).toContain("version 9");
    expect(await attempt([0, ...head(0).slice(1)])).toContain("does not begin");
    expect(await attempt([...head(0).slice(0, 5), 2, ...head(0).slice(6)])).toContain("0 or 1");
    expect(await attempt([...head(0).slice(0, 22), 2, ...head(0).slice(23)])).toContain("2 fields");
    expect(await attempt([...head(0), 0])).toContain("too many");
    expect(await attempt(head(1), [9, ...string("a").slice(1)])).toContain("unknown type");
    expect(await attempt(head(1), [0, ...u64(0), ...string("a").slice(9)])).toContain("version 0");
    expect(await attempt(head(1), collection(1, "h", 0))).toContain("a hash of nothing");
    expect(await attempt(head(1), collection(3, "s", 1))).toContain("missing");
    expect(await attempt(head(1), collection(3, "s", 1), bytes("m"))).toBe("restored");
    expect(await attempt(head(1), collection(3, "s", 2), [...bytes("m"), ...bytes("m")])).toContain(
      "do not rise",
    );
    const members = (...pairs: [number, string][]): number[] =>
      pairs.flatMap(([score, member]) => [...f64(score), ...bytes(member)]);
    expect(await attempt(head(1), collection(4, "z", 2), members([1, "b"], [2, "a"]))).toBe("restored");
    expect(await attempt(head(1), collection(4, "z", 2), members([2, "a"], [1, "b"]))).toContain(
      "do not rise",
    );
    expect(await attempt(head(1), collection(4, "z", 2), members([1, "b"], [1, "a"]))).toContain(
      "do not rise",
    );
    expect(await attempt(head(1), collection(4, "z", 2), members([1, "b"], [2, "b"]))).toContain(
      "do not rise",
    );
    expect(await attempt(head(1), collection(4, "z", 1), members([Number.NaN, "b"]))).toContain(
      "do not rise",
    );
    expect(await attempt(head(1), collection(4, "z", 1), members([-0, "b"]))).toContain("do not rise");
  });

  test("goes through Raft's storage, sessions and all", async () => {
    const storage = new OpenRaftMemStorage<KvTypeConfig>(new KvStateMachine());
    const incr = {
      data: encodeKvEntry({ timeMs: 1, seed: 2, parts: [{ type: "command", args: command("INCR n") }] }),
    };
    const session = { sessionId: 1, sequence: 1, answeredBelow: 1 };
    const answers = storage.stateMachine.apply([
      { logId: { term: 1, index: 1 }, payload: { type: "openSession", expiresAfter: 100 } },
      { logId: { term: 1, index: 2 }, payload: { type: "normal", data: incr, session } },
      { logId: { term: 1, index: 3 }, payload: { type: "normal", data: incr, session } },
    ]);
    expect(answers).toEqual([undefined, { replies: [1] }, { replies: [1] }]);
    const snapshot = await storage.stateMachine.snapshotBuilder().buildSnapshot(async () => {});
    const other = new OpenRaftMemStorage<KvTypeConfig>(new KvStateMachine());
    await other.stateMachine.installSnapshot(snapshot, async () => {});
    const again = other.stateMachine.apply([
      { logId: { term: 1, index: 4 }, payload: { type: "normal", data: incr, session } },
    ]);
    expect(again).toEqual([{ replies: [1] }]);
  });
});
