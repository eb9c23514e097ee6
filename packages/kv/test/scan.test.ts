import { CaseRandom } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

type Page = [cursor: string, elements: string[]];

describe("SCAN", () => {
  test.each([1, 2, 3, 4, 5])(
    "returns each key that is there throughout, once, whatever else comes and goes, seed %d",
    (seed) => {
      const random = new CaseRandom(seed);
      const node = new Node();
      const stay = Array.from({ length: 4000 }, (_, n) => `stay:${n}`);
      for (const key of stay) node.run(`SET ${key} 1`);
      const seen: string[] = [];
      let cursor = "0";
      do {
        const [next, keys] = node.read(`SCAN ${cursor} COUNT ${random.integer(1, 400)}`) as Page;
        seen.push(...keys.filter((key) => key.startsWith("stay:")));
        cursor = next;
        for (let n = 0; n < 300; n++) node.run(`SET come:${random.integer(0, 5000)} 1`);
        for (let n = 0; n < 250; n++) node.run(`DEL come:${random.integer(0, 5000)}`);
        node.run(`SET ${random.pick(stay)} ${"longer".repeat(random.integer(0, 9))}`);
      } while (cursor !== "0");
      expect(seen.length).toBe(stay.length);
      expect(new Set(seen)).toEqual(new Set(stay));
    },
  );

  test("looks at so many keys as it is told, and returns those of the pattern and type", () => {
    const node = new Node();
    for (let n = 0; n < 50; n++) node.run(`SET string:${n} 1`);
    for (let n = 0; n < 50; n++) node.run(`RPUSH list:${n} 1`);
    expect((node.read("SCAN 0") as Page)[1].length).toBe(10);
    expect((node.read("SCAN 0 COUNT 30") as Page)[1].length).toBe(30);
    expect((node.read("SCAN 0 COUNT 1000") as Page)[0]).toBe("0");
    expect((node.read("SCAN 0 COUNT 1000 TYPE list") as Page)[1].length).toBe(50);
    expect((node.read("SCAN 0 COUNT 1000 TYPE LIST MATCH *1") as Page)[1].sort()).toEqual([
      "list:1",
      "list:11",
      "list:21",
      "list:31",
      "list:41",
    ]);
    expect(node.read("SCAN 18446744073709551615")).toEqual(["0", []]);
  });

  test("of a large collection goes step by step, and of a small one all at once", () => {
    const node = new Node();
    for (let n = 0; n < 1000; n++) node.run(`SADD large ${n}`);
    for (let n = 0; n < 100; n++) node.run(`HSET small f${n} v`);
    const seen: string[] = [];
    let cursor = "0";
    let pages = 0;
    do {
      const [next, members] = node.read(`SSCAN large ${cursor} COUNT 50`) as Page;
      seen.push(...members);
      cursor = next;
      pages += 1;
      node.run(`SADD large more-${pages}`);
    } while (cursor !== "0");
    const first = seen.filter((member) => !member.startsWith("more"));
    expect([pages >= 20, first.length, new Set(first).size]).toEqual([true, 1000, 1000]);
    expect((node.read("HSCAN small 0 COUNT 1") as Page)[1].length).toBe(200);
  });
});
