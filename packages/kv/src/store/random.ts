import { halfSipHash } from "./half-sip-hash.js";

/**
 * Random numbers that repeat from a seed: what a command draws is the same on every node. The seed comes from the entry, the
 * stream from the command's place in it.
 */
export class Random {
  #k0 = 0;
  #k1 = 0;
  readonly #counter: Uint8Array = new Uint8Array(8);

  /** @param seed any integer from 0 to 2^53 - 1. @param stream tells sequences of one seed apart. */
  reseed(seed: number, stream: number): void {
    this.#k0 = seed >>> 0;
    this.#k1 = Math.floor(seed / 0x1_0000_0000);
    this.#counter.fill(0);
    for (let i = 0; i < 4; i++) this.#counter[i + 4] = stream >>> (8 * i);
  }

  /** An integer from 0 to `below` - 1. `below` is 2^32 at most. */
  below(below: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * below);
  }

  #next(): number {
    for (let i = 0; i < 4; i++) {
      const byte = ((this.#counter[i] as number) + 1) & 0xff;
      this.#counter[i] = byte;
      if (byte !== 0) break;
    }
    return halfSipHash(this.#counter, this.#k0, this.#k1);
  }
}
