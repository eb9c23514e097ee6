import type { RocksWriteBatch } from "../native/rocksdb.js";
import { DATA_KEY_BYTES, writeDataKey } from "./key-value-data.js";

/** Grows as it has to. */
const FIRST_BYTES = 65_536;

/**
 * Keys and values of one generation on their way into the database, one behind the other in one piece of memory that is used over and over: a piece for
 * each would have to be collected, and takes longer than what is done with it.
 */
export class RecordSlab {
  readonly #generation: number;
  #memory = new Uint8Array(FIRST_BYTES);
  #length = 0;
  /** Where each key ends, and each value. */
  #ends: number[] = [];

  constructor(generation: number) {
    this.#generation = generation;
  }

  /** How many bytes there are. */
  get bytes(): number {
    return this.#length;
  }

  /** @param key as `toByteString` makes it. */
  add(key: string, value: Uint8Array): void {
    const keyEnd = this.#length + DATA_KEY_BYTES + key.length;
    const end = keyEnd + value.length;
    if (end > this.#memory.length) this.#grow(end);
    writeDataKey(this.#memory, this.#length, this.#generation, key);
    this.#memory.set(value, keyEnd);
    this.#ends.push(keyEnd, end);
    this.#length = end;
  }

  /** Puts all into a batch. The memory is the batch's until that is written. */
  putInto(batch: Pick<RocksWriteBatch, "tryPut">): void {
    let start = 0;
    for (let at = 0; at < this.#ends.length; at += 2) {
      const keyEnd = this.#ends[at] as number;
      const end = this.#ends[at + 1] as number;
      batch.tryPut(this.#memory.subarray(start, keyEnd), this.#memory.subarray(keyEnd, end));
      start = end;
    }
  }

  /** Nothing is in it any more. */
  clear(): void {
    this.#length = 0;
    this.#ends = [];
  }

  #grow(needed: number): void {
    const memory = new Uint8Array(Math.max(needed, this.#memory.length * 2));
    memory.set(this.#memory.subarray(0, this.#length));
    this.#memory = memory;
  }
}
