import { checkInteger } from "@seshat/common";

/**
 * Random numbers that repeat from a seed, the same on every machine: sfc32 (Doty-Humphrey's PractRand), whose state is
 * filled from the seed by splitmix32. Not for secrets.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed an integer from 0 to 2^53 - 1. */
  constructor(seed: number) {
    checkInteger("seed", seed, 0);
    let state = (seed ^ Math.floor(seed / 0x1_0000_0000)) | 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.#a = mix();
    this.#b = mix() ^ Math.floor(seed / 0x1_0000_0000);
    this.#c = mix();
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** An integer from 0 to 2^32 - 1. */
  u32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** A number from 0 (inclusive) to 1 (exclusive). */
  next(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** An integer from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An independent source, so that one part of a test drawing more or less leaves the others as they were. */
  fork(): SeededRandom {
    return new SeededRandom(this.u32());
  }
}
