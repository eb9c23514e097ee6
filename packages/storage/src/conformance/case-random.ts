/** Random numbers that repeat from a seed, for what a case tries. Not for secrets. */
export class CaseRandom {
  #state: number;

  /** @param seed any integer: it is reduced to 32 bits. */
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** A number from 0 (inclusive) to 1 (exclusive). */
  next(): number {
    // Marsaglia's xorshift for 32 bits; the product evens out its low bits.
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (Math.imul(x, 0x2545_f491) >>> 0) / 0x1_0000_0000;
  }

  /** An integer from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`, of which there is at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** Bytes of any value. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.integer(0, 255));
  }
}
