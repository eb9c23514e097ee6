import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

function filled(): Node {
  const node = new Node();
  for (let n = 0; n < 300; n++) {
    node.run(`SADD s m${n}`);
    node.run(`HSET h f${n} ${n}`);
    node.run(`ZADD z ${n} m${n}`);
    node.run(`SET key:${n} 1`);
  }
  return node;
}

describe("what is drawn at random", () => {
  test("is the same for the same seed, and another for another", () => {
    const [a, b, c] = [filled(), filled(), filled()];
    const spop = "SPOP s 20";
    const popped = a.run(spop, 5);
    expect(b.run(spop, 5)).toEqual(popped);
    expect(c.run(spop, 6)).not.toEqual(popped);
  });

  test("differs from part to part of an entry", () => {
    const node = filled();
    const part = {
      type: "command" as const,
      args: ["SRANDMEMBER", "s"].map((word) => new TextEncoder().encode(word)),
    };
    const replies = node.apply(Array.from({ length: 30 }, () => part));
    expect(new Set(replies.map((reply) => Buffer.from(reply as Uint8Array).toString())).size).toBeGreaterThan(
      15,
    );
  });

  test.each(["RANDOMKEY", "SRANDMEMBER s", "HRANDFIELD h", "ZRANDMEMBER z"])(
    "by %s is each one in time",
    (words) => {
      const node = filled();
      const seen = new Set<unknown>();
      for (let seed = 0; seed < 3000; seed++) seen.add(node.read(words, node.timeMs, seed * 7919));
      expect(seen.size).toBeGreaterThan(295);
    },
  );

  test.each([
    ["SRANDMEMBER s", 1],
    ["HRANDFIELD h", 1],
    ["ZRANDMEMBER z", 1],
  ])("by %s with a count is so many different ones, or so many of any", (words) => {
    const node = filled();
    for (const count of [0, 1, 5, 150, 299, 300, 1000]) {
      const drawn = node.read(`${words} ${count}`, node.timeMs, count) as string[];
      expect([drawn.length, new Set(drawn).size]).toEqual([Math.min(count, 300), Math.min(count, 300)]);
    }
    expect((node.read(`${words} -500`) as string[]).length).toBe(500);
    expect(node.read(`${words} -1000001`)).toBe("-ERR value is out of range");
    expect((node.read(words.replace(/.$/, "nope").concat(" 3")) as string[]).length).toBe(0);
  });

  test("by SPOP is gone, and the last one takes the key with it", () => {
    const node = filled();
    const popped = node.run("SPOP s 100") as string[];
    expect([popped.length, node.read("SCARD s"), node.read(`SISMEMBER s ${popped[7]}`)]).toEqual([
      100, 200, 0,
    ]);
    expect([(node.run("SPOP s 1000") as string[]).length, node.read("EXISTS s")]).toEqual([200, 0]);
    expect([node.run("SPOP s"), node.run("SPOP s 3")]).toEqual([null, []]);
  });

  test("by RANDOMKEY is never a key that is over, while there is another", () => {
    const node = new Node();
    for (let n = 0; n < 200; n++) node.run(`SET over:${n} 1 PX 10`);
    node.run("SET there 1");
    node.timeMs += 10;
    node.tick(node.timeMs);
    expect(node.machine.size).toBe(185);
    for (let seed = 0; seed < 20; seed++) expect(node.read("RANDOMKEY", node.timeMs, seed)).toBe("there");
  });
});
