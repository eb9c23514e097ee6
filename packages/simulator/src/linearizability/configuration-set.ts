/** Configurations and states are counted as they are stored, with room to grow. */
const BYTES_PER_WORD = 8;
const BYTES_PER_CONFIGURATION = 16;
/** What a state costs beside its key: an entry of a map, and the state itself, which is about as long as its key. */
const BYTES_PER_STATE = 128;
const BYTES_PER_UNIT = 4;

/** Gives equal states the same small number. */
export class StateNumbers {
  readonly #numbers = new Map<string, number>();
  #bytes = 0;

  /** About how much memory the states take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  numberOf(stateKey: string): number {
    const known = this.#numbers.get(stateKey);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(stateKey, number);
    this.#bytes += BYTES_PER_STATE + BYTES_PER_UNIT * stateKey.length;
    return number;
  }
}

/**
 * A set of configurations, each a row of 32-bit words: an open hash table over one growing array, exact and with no object
 * for each of them. The hash is fixed, so the same search does the same on every machine.
 */
export class ConfigurationSet {
  /** Where each row begins in `#words`, plus one; 0 where there is none. */
  #slots = new Uint32Array(64);
  /** The rows one after the other, each behind its length. */
  #words = new Uint32Array(256);
  #used = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** About how much memory the configurations take, in bytes. */
  get bytes(): number {
    return this.#used * BYTES_PER_WORD + this.#size * BYTES_PER_CONFIGURATION;
  }

  /** Adds the first `length` words of `row`; false if they were there. */
  add(row: Uint32Array, length: number): boolean {
    let slot = this.#find(row, 0, length);
    if (this.#slots[slot] !== 0) return false;
    if ((this.#size + 1) * 2 > this.#slots.length) {
      this.#growSlots();
      slot = this.#find(row, 0, length);
    }
    this.#reserve(length + 1);
    this.#slots[slot] = this.#used + 1;
    this.#words[this.#used] = length;
    this.#words.set(row.subarray(0, length), this.#used + 1);
    this.#used += length + 1;
    this.#size += 1;
    return true;
  }

  /** The slot that holds the row, or the empty one where it belongs. */
  #find(source: Uint32Array, from: number, length: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(source, from, length) & mask;
    while (
      this.#slots[slot] !== 0 &&
      !this.#equals((this.#slots[slot] as number) - 1, source, from, length)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #equals(row: number, source: Uint32Array, from: number, length: number): boolean {
    if (this.#words[row] !== length) return false;
    for (let i = 0; i < length; i += 1) {
      if (this.#words[row + 1 + i] !== source[from + i]) return false;
    }
    return true;
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let row = 0; row < this.#used; row += (this.#words[row] as number) + 1) {
      this.#slots[this.#find(this.#words, row + 1, this.#words[row] as number)] = row + 1;
    }
  }

  #reserve(count: number): void {
    if (this.#used + count <= this.#words.length) return;
    const larger = new Uint32Array(Math.max(this.#words.length * 2, this.#used + count));
    larger.set(this.#words.subarray(0, this.#used));
    this.#words = larger;
  }
}

/** Mixes the words as MurmurHash3 does. */
function hash(words: Uint32Array, from: number, length: number): number {
  let h = length;
  for (let i = from; i < from + length; i += 1) {
    let word = Math.imul(words[i] as number, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    h ^= Math.imul(word, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
