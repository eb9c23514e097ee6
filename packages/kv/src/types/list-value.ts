import { fromByteString, toByteString } from "@seshat/storage/parts";
import type { Shard } from "../store/shard.js";
import type { Collection } from "../store/value.js";
import type { Work } from "../work.js";
import { WORK } from "../work.js";
import { BlockList } from "./block-list.js";

/** What an element counts for, besides its bytes. */
const ELEMENT_BYTES = 24;
const COLLECTION_BYTES = 500;

/** A list of byte strings: a string of JavaScript takes a tenth of what an array of bytes does. */
export class ListValue implements Collection {
  readonly type = "list" as const;
  owner: Shard | null = null;
  readonly #items: BlockList<string>;
  #bytes: number;

  constructor(source?: ListValue) {
    this.#items = source === undefined ? new BlockList() : source.#items.fork();
    this.#bytes = source === undefined ? COLLECTION_BYTES : source.#bytes;
  }

  get size(): number {
    return this.#items.size;
  }

  get usedBytes(): number {
    return this.#bytes;
  }

  fork(): ListValue {
    return new ListValue(this);
  }

  get(index: number): Uint8Array {
    return fromByteString(this.#items.get(index));
  }

  set(index: number, value: Uint8Array): void {
    this.#bytes += value.length - this.#items.get(index).length;
    this.#items.set(index, toByteString(value));
  }

  insert(index: number, value: Uint8Array): void {
    this.#bytes += ELEMENT_BYTES + value.length;
    this.#items.insert(index, toByteString(value));
  }

  remove(index: number): Uint8Array {
    const item = this.#items.remove(index);
    this.#bytes -= ELEMENT_BYTES + item.length;
    return fromByteString(item);
  }

  slice(index: number, count: number): Uint8Array[] {
    return this.#items.slice(index, count).map(fromByteString);
  }

  /** How many bytes `count` elements from `index` on have. */
  bytesOf(index: number, count: number): number {
    if (count === 1) return this.#items.get(index).length;
    return this.#items.slice(index, count).reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * The indexes of the elements that are equal to `value`, from an end on. @param visit answers whether to go on.
   *
   * @throws {Refusal} when it takes too much work.
   */
  search(
    value: Uint8Array,
    backwards: boolean,
    work: Work,
    visit: (index: number) => boolean,
    most: number = Infinity,
  ): void {
    const sought = toByteString(value);
    const step = backwards ? -1 : 1;
    let index = backwards ? this.size - 1 : 0;
    let left = most;
    for (const item of backwards ? this.#items.backwards() : this.#items.from(0)) {
      if (left <= 0) return;
      work.charge(WORK.compared + (item.length === sought.length ? sought.length / 8 : 0));
      if (item === sought && !visit(index)) return;
      index += step;
      left -= 1;
    }
  }

  *elements(): Generator<Uint8Array> {
    for (const item of this.#items.from(0)) yield fromByteString(item);
  }
}
