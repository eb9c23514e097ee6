import { compareBytes } from "../commands/parse.js";
import type { HashSeed } from "../store/dict.js";
import { halfSipHash } from "../store/half-sip-hash.js";

/** Sees to it that keys come in the order of (hash, key), each once. */
export class RisingKeys {
  readonly #seed: HashSeed;
  #hash = 0;
  #key: Uint8Array = new Uint8Array(0);

  constructor(seed: HashSeed) {
    this.#seed = seed;
  }

  /** Whether `key` comes behind all before it. */
  accepts(key: Uint8Array): boolean {
    const hash = halfSipHash(key, this.#seed.k0, this.#seed.k1);
    if (hash < this.#hash || (hash === this.#hash && compareBytes(key, this.#key) <= 0)) return false;
    this.#hash = hash;
    this.#key = key;
    return true;
  }
}
