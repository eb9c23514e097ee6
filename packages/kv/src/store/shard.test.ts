import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Shard } from "./shard.js";
import type { Collection } from "./value.js";

const HASH = 12_345;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

function put(shard: Shard, key: string, hash = HASH): void {
  shard.put(shard.find(hash, bytes(key)), hash, bytes(key), bytes(key), 1, 0);
}

function keys(shard: Shard): string[] {
  const found: string[] = [];
  for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) {
    found.push(Buffer.from(shard.key(slot)).toString("latin1"));
  }
  return found;
}

describe("a shard", () => {
  test("keeps keys of one hash in their own order, whichever came first, and finds each of them and no other", () => {
    const names = fc.uniqueArray(fc.string({ unit: "binary-ascii", maxLength: 3 }), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(names, fc.nat(), (all, pick) => {
        const shard = new Shard(0);
        const left = all.filter((_, i) => i !== pick % all.length);
        const absent = all[pick % all.length] as string;
        for (const name of all) put(shard, name);
        shard.remove(shard.find(HASH, bytes(absent)));
        expect(keys(shard)).toEqual(left.sort((a, b) => Buffer.compare(bytes(a), bytes(b))));
        for (const name of left) expect(shard.find(HASH, bytes(name))).toBeGreaterThan(-1);
        expect(shard.find(HASH, bytes(absent))).toBeLessThan(0);
      }),
    );
  });

  test("has room for many keys whose hashes are the highest there are", () => {
    const shard = new Shard(0);
    const names = Array.from({ length: 300 }, (_, n) => `key:${String(n).padStart(3, "0")}`);
    for (const name of names) put(shard, name, 0xffff_ffff);
    put(shard, "first", 1);
    expect(keys(shard)).toEqual(["first", ...names]);
    expect([shard.firstFrom(2), shard.firstFrom(0)].map((slot) => shard.hash(slot))).toEqual([
      0xffff_ffff, 1,
    ]);
    const [low, high] = shard.split();
    expect([keys(low), keys(high).length]).toEqual([["first"], 300]);
  });

  test("that is split hands on what it owns, and nothing else", () => {
    const shard = new Shard(0);
    const collection = (owner: Shard | null): Collection => ({
      type: "set",
      owner,
      size: 1,
      usedBytes: 1,
      fork: () => collection(null),
    });
    const [own, foreign] = [collection(shard), collection(new Shard(0))];
    shard.put(shard.find(1, bytes("a")), 1, bytes("a"), own, 1, 0);
    shard.put(shard.find(2, bytes("b")), 2, bytes("b"), foreign, 1, 0);
    const [low] = shard.split();
    expect(own.owner).toBe(low);
    expect(foreign.owner).not.toBe(low);
    expect([low.outside(low.find(1, bytes("a"))), low.outside(low.find(2, bytes("b")))]).toEqual([
      own,
      foreign,
    ]);
  });

  test("lets go of large values that are overwritten or removed", () => {
    const shard = new Shard(0);
    const large = new Uint8Array(2000);
    for (let n = 0; n < 50; n++) {
      shard.put(shard.find(1, bytes("a")), 1, bytes("a"), n % 2 === 0 ? large : bytes("small"), 1, 0);
      shard.put(shard.find(2, bytes("b")), 2, bytes("b"), large, 1, 0);
      shard.remove(shard.find(2, bytes("b")));
    }
    expect(shard.outsidePlaces).toBeLessThan(4);
  });
});
