import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dict } from "./dict.js";
import { halfSipHash } from "./half-sip-hash.js";
import type { Shard } from "./shard.js";

const SEED = { k0: 1, k1: 2 };
const utf8 = new TextEncoder();
const name = (key: Uint8Array): string => Buffer.from(key).toString("latin1");

function put(dict: Dict, key: Uint8Array, value: Uint8Array, version = 0, deadline = 0): void {
  dict.find(key);
  dict.put(key, value, version, deadline);
}

function get(dict: Dict, key: Uint8Array): Uint8Array | null {
  return dict.find(key) ? (dict.shard.value(dict.slot) as Uint8Array) : null;
}

function keysOf(shards: Iterable<Shard>): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (const shard of shards) {
    for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) keys.push(shard.key(slot));
  }
  return keys;
}

function walk(dict: Dict): string[] {
  const keys: string[] = [];
  for (let there = dict.seek(1); there; there = dict.next()) keys.push(name(dict.shard.key(dict.slot)));
  return keys;
}

/** By hash, then as bytes. */
function inOrder(keys: Iterable<string>, seed = SEED): string[] {
  const hash = (key: string): number => halfSipHash(Buffer.from(key, "latin1"), seed.k0, seed.k1);
  return [...keys].sort(
    (a, b) => hash(a) - hash(b) || Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
  );
}

const key = fc.oneof(
  fc.nat(300).map((n) => utf8.encode(`key:${n}`)),
  fc.uint8Array({ maxLength: 3 }),
  fc.constantFrom(new Uint8Array(254), new Uint8Array(255), new Uint8Array(300)),
);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 90 }),
  fc.constantFrom(1023, 1024, 3000).map((n) => new Uint8Array(n).fill(7)),
);
const version = fc.constantFrom(0, 1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("put" as const), key, value, version, deadline: version }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("remove" as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom("capture" as const, "release" as const, "fork" as const) }),
  },
);

describe("a dictionary", () => {
  test("holds what a map would, whatever is put, removed, captured and forked, in the order of hashes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        let dict = new Dict(SEED);
        const model = new Map<string, { value: Uint8Array; version: number; deadline: number }>();
        const captures: { shards: Shard[]; keys: string[] }[] = [];
        for (const one of steps) {
          if (one.type === "put") {
            put(dict, one.key, one.value, one.version, one.deadline);
            model.set(name(one.key), one);
          } else if (one.type === "remove") {
            const found = dict.find(one.key);
            expect(found).toBe(model.delete(name(one.key)));
            if (found) dict.remove();
          } else if (one.type === "capture") {
            captures.push({ shards: dict.capture(), keys: inOrder(model.keys()) });
          } else if (one.type === "release") {
            for (const shard of captures.pop()?.shards ?? []) shard.shared -= 1;
          } else {
            dict = dict.fork();
          }
          expect(dict.size).toBe(model.size);
        }
        expect(walk(dict)).toEqual(inOrder(model.keys()));
        for (const [text, expected] of model) {
          expect(dict.find(Buffer.from(text, "latin1"))).toBe(true);
          const { shard, slot } = dict;
          expect([shard.version(slot), shard.deadline(slot)]).toEqual([expected.version, expected.deadline]);
          expect(Buffer.compare(shard.value(slot) as Uint8Array, expected.value)).toBe(0);
        }
        for (const { shards, keys } of captures) expect(keysOf(shards).map(name)).toEqual(keys);
      }),
      { numRuns: 150 },
    );
  });

  test("of many keys is split into shards, and finds each of them", () => {
    const dict = new Dict(SEED);
    const count = 20_000;
    for (let n = 0; n < count; n++) put(dict, utf8.encode(`key:${n}`), utf8.encode(String(n)));
    expect([...dict.shards()].length).toBeGreaterThan(5);
    expect(Math.max(...[...dict.shards()].map((shard) => shard.count))).toBeLessThanOrEqual(3200);
    const wrong = Array.from({ length: count }, (_, n) => n).filter(
      (n) => Buffer.from(get(dict, utf8.encode(`key:${n}`)) ?? []).toString() !== String(n),
    );
    expect(wrong).toEqual([]);
    expect(walk(dict)).toEqual(inOrder(Array.from({ length: count }, (_, n) => `key:${n}`)));
    for (let n = 0; n < count; n++) {
      if (dict.find(utf8.encode(`key:${n}`))) dict.remove();
    }
    expect([dict.size, walk(dict)]).toEqual([0, []]);
  });

  test("of large values is split by their bytes", () => {
    const dict = new Dict(SEED);
    for (let n = 0; n < 2000; n++) put(dict, utf8.encode(`key:${n}`), new Uint8Array(1000));
    const shards = [...dict.shards()];
    expect(Math.max(...shards.map((shard) => shard.liveBytes))).toBeLessThan(600_000);
    expect(shards.length).toBeGreaterThan(3);
  });

  test("is walked in the same order whichever way it came to hold its keys", () => {
    const names = Array.from({ length: 8000 }, (_, n) => `k${n}`);
    const [grown, shrunk] = [new Dict(SEED), new Dict(SEED)];
    for (const text of names) put(grown, utf8.encode(text), new Uint8Array(0));
    for (const text of [...names, ...names.map((text) => `${text}-gone`)].reverse()) {
      put(shrunk, utf8.encode(text), new Uint8Array(0));
    }
    for (const text of names) if (shrunk.find(utf8.encode(`${text}-gone`))) shrunk.remove();
    expect(walk(shrunk)).toEqual(walk(grown));
  });

  test("finds the key that has so many before it", () => {
    const dict = new Dict(SEED);
    const names = Array.from({ length: 7000 }, (_, n) => `k${n}`);
    for (const text of names) put(dict, utf8.encode(text), new Uint8Array(0));
    const ordered = inOrder(names);
    for (const rank of [0, 1, 2, 3199, 3200, 5000, 6999]) {
      dict.seekRank(rank);
      expect(name(dict.shard.key(dict.slot))).toBe(ordered[rank]);
    }
  });

  test("seeks the first key whose hash is not below a given one", () => {
    const dict = new Dict(SEED);
    const names = Array.from({ length: 5000 }, (_, n) => `k${n}`);
    for (const text of names) put(dict, utf8.encode(text), new Uint8Array(0));
    const hashes = inOrder(names).map((text) => halfSipHash(utf8.encode(text), SEED.k0, SEED.k1));
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (from) => {
        const expected = hashes.find((hash) => hash >= from);
        expect(dict.seek(from) ? dict.hash : undefined).toBe(expected);
      }),
    );
    expect(dict.seek(2 ** 32)).toBe(false);
  });

  test("does not keep the room of what was overwritten for ever", () => {
    const dict = new Dict(SEED);
    for (let n = 0; n < 5000; n++) put(dict, utf8.encode("counter"), new Uint8Array(n % 900));
    expect([...dict.shards()][0]?.liveBytes).toBeLessThan(1000);
    expect([...dict.shards()][0]?.arenaBytes).toBeLessThan(10_000);
  });

  test("is gathered in fewer shards once little is left, and who has captured it sees what it was", () => {
    const dict = new Dict(SEED);
    for (let i = 0; i < 20_000; i++) put(dict, utf8.encode(`key:${i}`), utf8.encode(`${i}`), i, i % 7);
    const captured = dict.capture();
    expect(captured.length).toBeGreaterThan(7);
    const all = walk(dict);
    for (let i = 0; i < 19_900; i++) {
      dict.find(utf8.encode(`key:${i}`));
      dict.remove();
    }
    expect([...dict.shards()]).toHaveLength(1);
    expect(dict.size).toBe(100);
    const left = Array.from({ length: 100 }, (_, i) => 19_900 + i);
    expect(walk(dict)).toEqual(inOrder(left.map((i) => `key:${i}`)));
    for (const i of left) {
      expect(get(dict, utf8.encode(`key:${i}`))).toEqual(utf8.encode(`${i}`));
      expect([dict.shard.version(dict.slot), dict.shard.deadline(dict.slot)]).toEqual([i, i % 7]);
    }
    expect(keysOf(captured).map(name)).toEqual(all);
  });

  test("copies a shard that a capture sees once, and none that was released", () => {
    const dict = new Dict(SEED);
    const [a, b] = [utf8.encode("a"), utf8.encode("b")];
    put(dict, a, utf8.encode("1"));
    const [captured] = dict.capture() as [Shard];
    put(dict, a, utf8.encode("2"));
    const copy = dict.find(a) ? dict.shard : null;
    expect(copy).not.toBe(captured);
    put(dict, b, utf8.encode("3"));
    dict.find(b);
    expect(dict.shard).toBe(copy);
    expect(name(captured.value(captured.next(0)) as Uint8Array)).toBe("1");
    const [again] = dict.capture() as [Shard];
    again.shared -= 1;
    put(dict, a, utf8.encode("4"));
    dict.find(a);
    expect(dict.shard).toBe(again);
  });

  test("and its fork do not see what is done to the other, large values and all", () => {
    const dict = new Dict(SEED);
    const names = Array.from({ length: 40 }, (_, n) => `k${n}`);
    const large = (n: number): Uint8Array => new Uint8Array(1100 + n).fill(n);
    for (const [n, text] of names.entries()) put(dict, utf8.encode(text), large(n));
    const fork = dict.fork();
    for (let n = 0; n < 20; n++) if (dict.find(utf8.encode(`k${n}`))) dict.remove();
    for (let n = 40; n < 80; n++) put(fork, utf8.encode(`k${n}`), large(n));
    for (let n = 100; n < 120; n++) put(dict, utf8.encode(`k${n}`), large(n));
    const held = (of: Dict): string[] =>
      walk(of).filter(
        (text) =>
          Buffer.compare(get(of, utf8.encode(text)) ?? new Uint8Array(0), large(Number(text.slice(1)))) === 0,
      );
    const numbers = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, n) => `k${from + n}`);
    expect(held(fork)).toEqual(inOrder(numbers(0, 80)));
    expect(held(dict)).toEqual(inOrder([...numbers(20, 40), ...numbers(100, 120)]));
  });
});

describe("looking ahead", () => {
  const COUNT = 20_000;
  const keyOf = (n: number): Uint8Array => utf8.encode(`key:${n}`);
  const large = new Dict(SEED);
  for (let n = 0; n < COUNT; n++) put(large, keyOf(n), utf8.encode(`value:${n}`));
  const found = (n: number, text: Uint8Array): boolean =>
    name(get(large, text) ?? new Uint8Array(0)) === (n < COUNT ? `value:${n}` : "");

  test("changes no answer, whatever is looked for then: in order or not, twice, never, absent, or another array", () => {
    const steps = fc.array(fc.nat({ max: 100 }), { maxLength: 100 });
    fc.assert(
      fc.property(fc.array(fc.nat({ max: COUNT + 50 }), { maxLength: 100 }), steps, (numbers, order) => {
        const keys = numbers.map(keyOf);
        large.lookAhead(keys);
        for (const [i, n] of numbers.entries()) {
          // Twice as commands do that read before they write; and now and then something else comes between.
          if (!found(n, keys[i] as Uint8Array) || !found(n, keys[i] as Uint8Array)) return false;
          const other = order[i];
          if (other !== undefined && !found(other, keys.find((_, k) => numbers[k] === other) ?? keyOf(other)))
            return false;
        }
        return true;
      }),
    );
  });

  test("knows an array until the next call only, and follows keys that move to another shard", () => {
    const dict = large.fork();
    const key = keyOf(1);
    dict.lookAhead([key]);
    dict.lookAhead([]);
    key.set(utf8.encode("key:2"));
    expect(name(get(dict, key) as Uint8Array)).toBe("value:2");

    const keys = Array.from({ length: 64 }, (_, n) => keyOf(n));
    dict.lookAhead(keys);
    for (let n = COUNT; n < 3 * COUNT; n++) put(dict, keyOf(n), utf8.encode(`value:${n}`));
    for (const [n, each] of keys.entries()) expect(name(get(dict, each) as Uint8Array)).toBe(`value:${n}`);
  });
});
