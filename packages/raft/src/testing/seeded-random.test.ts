import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.js";

function take(random: SeededRandom, count: number): number[] {
  return Array.from({ length: count }, () => random.u32());
}

/** sfc32 over splitmix32 once more, on big integers, to check the one that is built for speed. */
function reference(seed: number, count: number): number[] {
  const M = 0xffff_ffffn;
  const high = BigInt(seed) >> 32n;
  let state = (BigInt(seed) ^ high) & M;
  const mix = (): bigint => {
    state = (state + 0x9e3779b9n) & M;
    let z = state;
    z = ((z ^ (z >> 16n)) * 0x85ebca6bn) & M;
    z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & M;
    return z ^ (z >> 16n);
  };
  let a = mix();
  let b = mix() ^ high;
  let c = mix();
  let counter = 1n;
  const next = (): bigint => {
    const result = (a + b + counter) & M;
    counter = (counter + 1n) & M;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & M;
    c = ((((c << 21n) | (c >> 11n)) & M) + result) & M;
    return result;
  };
  for (let i = 0; i < 12; i++) next();
  return Array.from({ length: count }, () => Number(next()));
}

describe("seeded random numbers", () => {
  test.each([
    [0, [591558436, 2737234123, 107644106, 1338548054]],
    [1, [792534090, 3215351813, 160231488, 1151041103]],
    [42, [2476999517, 2284424721, 914527439, 3398404915]],
    [2 ** 53 - 1, [4058638999, 1656860810, 3809962275, 727735932]],
  ])("seed %d always begins with the same numbers, on every machine", (seed, expected) => {
    expect(take(new SeededRandom(seed), 4)).toEqual(expected);
  });

  test.each([0, 1, 7, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 123, 2 ** 53 - 1])(
    "seed %d is sfc32 to the letter",
    (seed) => {
      expect(take(new SeededRandom(seed), 200)).toEqual(reference(seed, 200));
    },
  );

  test("the same seed gives the same sequence, and neighbouring seeds have nothing in common", () => {
    expect(take(new SeededRandom(9), 50)).toEqual(take(new SeededRandom(9), 50));
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++)
      for (const number of take(new SeededRandom(seed), 5)) seen.add(number);
    expect(seen.size).toBeGreaterThan(990);
  });

  test("numbers are spread evenly over their range", () => {
    const random = new SeededRandom(5);
    const buckets = new Array<number>(16).fill(0);
    const draws = 64_000;
    for (let i = 0; i < draws; i++) {
      const number = random.next();
      expect(number >= 0 && number < 1).toBe(true);
      buckets[Math.floor(number * 16)] = (buckets[Math.floor(number * 16)] ?? 0) + 1;
    }
    // Five standard deviations of a binomial: 5 * sqrt(64000 / 16 * 15 / 16).
    for (const count of buckets) expect(Math.abs(count - draws / 16)).toBeLessThan(307);
  });

  test("integers take every value of their range, both ends included, and no other", () => {
    const random = new SeededRandom(3);
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(-2, 3)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    expect(random.integer(7, 7)).toBe(7);
  });

  test("a chance comes true as often as it should; 0 never does, and 1 always", () => {
    const random = new SeededRandom(8);
    const share = (probability: number): number =>
      Array.from({ length: 10_000 }, () => random.chance(probability)).filter(Boolean).length / 10_000;
    expect(share(0)).toBe(0);
    expect(share(1)).toBe(1);
    expect(Math.abs(share(0.2) - 0.2)).toBeLessThan(0.02);
  });

  test("a fork goes its own way: how much it draws does not change its origin", () => {
    const [a, b] = [new SeededRandom(4), new SeededRandom(4)];
    const [forkOfA, forkOfB] = [a.fork(), b.fork()];
    take(forkOfA, 100);
    expect(take(a, 10)).toEqual(take(b, 10));
    expect(take(forkOfB, 10)).not.toEqual(take(new SeededRandom(4), 10));
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53])("%d is no seed", (seed) => {
    expect(() => new SeededRandom(seed)).toThrow(InvalidValueError);
    expect(() => new SeededRandom(seed)).toThrow(/^seed is /);
  });
});
