import { describe, expect, test } from "vitest";
import { NEEDS_TICK } from "../src/index.js";
import { Node, snapshotOf } from "./node.js";

describe("a key with a deadline", () => {
  test("is there until an entry's time reaches it, and for nobody from then on", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    node.run("HSET h f v");
    node.run("PEXPIRE h 500");
    node.tick(node.timeMs + 499);
    expect(node.read("GET a")).toBe("1");
    node.tick(node.timeMs + 1);
    expect([node.read("GET a"), node.read("EXISTS a h"), node.read("TYPE h"), node.read("TTL a")]).toEqual([
      null,
      0,
      "+none",
      -2,
    ]);
    expect([node.read("KEYS *"), node.read("DBSIZE"), node.read("RANDOMKEY"), node.read("SCAN 0")]).toEqual([
      [],
      0,
      null,
      ["0", []],
    ]);
  });

  test("after the year 10889 is no later and no earlier than another one after it", () => {
    const node = new Node();
    node.run("SET a 1");
    node.run("EXPIREAT a 9223370399119966");
    const last = 2 ** 48 - 1;
    expect([
      node.run("PEXPIREAT a 9223372036854775 GT"),
      node.run("PEXPIREAT a 9223372036854775 LT"),
      node.run(`PEXPIREAT a ${last + 1} LT`),
      node.read("PEXPIRETIME a"),
    ]).toEqual([0, 0, 0, last]);
    expect([node.run(`PEXPIREAT a ${last - 1} LT`), node.run("PEXPIREAT a 9223372036854775 GT")]).toEqual([
      1, 1,
    ]);
  });

  test("is not over by a reader's clock: the reader is told to let the time pass first", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    const later = node.timeMs + 500;
    for (const words of [
      "GET a",
      "EXISTS a",
      "TTL a",
      "KEYS *",
      "DBSIZE",
      "SCAN 0",
      "STRLEN a",
      "OBJECT ENCODING a",
    ]) {
      expect([words, node.read(words, later)]).toEqual([words, NEEDS_TICK]);
    }
    expect([node.read("GET b", later), node.read("GET a", later - 1)]).toEqual([null, "1"]);
    node.tick(later);
    expect([node.read("GET a", later), node.read("DBSIZE", later)]).toEqual([null, 0]);
  });

  test("has less time left by a reader's clock than by the state's", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    expect([node.read("PTTL a", node.timeMs + 200), node.read("PTTL a"), node.read("PEXPIRETIME a")]).toEqual(
      [300, 500, node.timeMs + 500],
    );
  });

  test("is not brought back by a leader whose clock is behind", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    node.tick(node.timeMs + 500);
    node.timeMs -= 400;
    expect(node.run("GET a")).toBeNull();
    expect(node.machine.clockMs).toBe(1_000_500);
    // Nor do new deadlines count from a time before the state's.
    node.run("SET b 1 PX 10");
    expect(node.read("PEXPIRETIME b")).toBe(1_000_510);
  });

  test("is removed by the next entries, so many an entry, the earliest first; a write that meets it removes it at once", () => {
    const node = new Node();
    for (let n = 0; n < 100; n++) node.run(`SET key:${n} v PXAT ${2_000_000 - n}`);
    expect([node.machine.size, node.machine.deadlines]).toEqual([100, 100]);
    node.tick(3_000_000);
    expect([node.machine.size, node.read("DBSIZE"), node.machine.expired]).toEqual([84, 0, 16]);
    node.apply(Array.from({ length: 10 }, () => ({ type: "command", args: [new Uint8Array(0)] })));
    expect(node.machine.size).toBe(48);
    expect(node.run("INCR key:0")).toBe(1);
    expect(node.read("TTL key:0")).toBe(-1);
    node.tick(3_000_001);
    node.tick(3_000_002);
    expect([node.machine.size, node.machine.deadlines, node.machine.expired]).toEqual([1, 0, 100]);
    expect(node.machine.usedBytes).toBe(32 + 5 + 1);
  });

  test.each([
    ["keys of one deadline", (n: number) => `SET key:${n} v PXAT 2000000`],
    ["keys of many", (n: number) => `SET key:${n} v PXAT ${1_500_000 + ((n * 7919) % 1000)}`],
  ])("%s are removed in an order that does not depend on how the state came to be", async (_, words) => {
    const node = new Node();
    for (let n = 0; n < 200; n++) node.run(words(n));
    const other = new Node();
    other.index = node.index;
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield snapshotOf(node.machine);
    }
    await other.machine.restore(bytes());
    for (let tick = 0; tick < 20; tick++) {
      node.tick(2_000_000 + tick);
      other.tick(2_000_000 + tick);
      expect(Buffer.compare(snapshotOf(node.machine), snapshotOf(other.machine))).toBe(0);
    }
    expect(node.machine.size).toBe(0);
  });

  test("moves with its key, and its value keeps it", () => {
    const node = new Node();
    node.run("SET a 1 PX 500");
    for (const words of [
      "APPEND a 2",
      "INCR a",
      "SETRANGE a 0 9",
      "INCRBYFLOAT a 1",
      "SET a 7 KEEPTTL",
      "RENAME a b",
    ]) {
      node.run(words);
    }
    expect(node.read("PTTL b")).toBe(500);
    node.run("COPY b c");
    expect(node.read("PTTL c")).toBe(500);
    node.run("SET b 8");
    expect(node.read("PTTL b")).toBe(-1);
    node.run("LPUSH l x");
    node.run("PEXPIRE l 500");
    node.run("LMOVE l l LEFT RIGHT");
    node.run("RPUSH l y");
    expect([node.read("PTTL l"), node.machine.deadlines]).toEqual([500, 2]);
  });

  test("with a deadline that is over already is gone at once", () => {
    const node = new Node();
    node.run("SET a 1");
    expect([node.run("SET a 2 PXAT 5"), node.read("GET a"), node.machine.size]).toEqual(["+OK", null, 0]);
    node.run("SET a 1");
    expect([node.run("EXPIRE a -1"), node.machine.size, node.machine.usedBytes]).toEqual([1, 0, 0]);
    for (const words of [
      "PEXPIREAT a -5",
      "EXPIREAT a 0",
      "PEXPIRE a -9000000",
      "EXPIRE a -9000000000000000",
    ]) {
      node.run("SET a 1");
      expect([words, node.run(words), node.machine.size]).toEqual([words, 1, 0]);
    }
  });

  test("may be so late that it counts as the latest there is", () => {
    const node = new Node();
    node.run("SET a 1");
    expect(node.run("PEXPIREAT a 9223372036854775807")).toBe(1);
    expect(node.read("PEXPIRETIME a")).toBe(2 ** 48 - 1);
    expect(node.run("EXPIRE a 9223372036854775807")).toBe("-ERR invalid expire time in 'expire' command");
  });
});
