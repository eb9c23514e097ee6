import { halfSipHash } from "./half-sip-hash.js";

/**
 * Random numbers that repeat from a seed: what a command draws is the same on every node. The seed comes from the entry, the
 * stream from the command's place in it.
 */
export class Random {
  #k0 = 0;
  #k1 = 0;
  #stream = 0;
  #drawn = 0;
  readonly #block: Uint8Array = new Uint8Array(8);

  /** @param seed any integer from 0 to 2^53 - 1. @param stream tells sequences of one seed apart. */
  reseed(seed: number, stream: number): void {
    this.#k0 = seed >>> 0;
    this.#k1 = Math.floor(seed / 0x1_0000_0000);
    this.#stream = stream;
    this.#drawn = 0;
  }

  /** An integer from 0 to `below` - 1. `below` is 2^32 at most. */
  below(below: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * below);
  }

  #next(): number {
    for (let i = 0; i < 4; i++) {
      this.#block[i] = this.#drawn >>> (8 * i);
      this.#block[i + 4] = this.#stream >>> (8 * i);
    }
    this.#drawn += 1;
    return halfSipHash(this.#block, this.#k0, this.#k1);
  }
}
