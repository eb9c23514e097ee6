/** A block that has so many items is halved. */
const BLOCK_ITEMS = 256;

interface Block<T> {
  readonly items: T[];
  /** Which list may change it. */
  readonly owner: object;
}

/**
 * A sequence that can be read and changed at any place, at a cost that hardly grows with its length, and forked at that of a reference for
 * each block. What is in it must not be changed.
 */
export class BlockList<T> {
  #blocks: Block<T>[] = [];
  #size = 0;
  #token: object = {};

  get size(): number {
    return this.#size;
  }

  /** A list of the same items. Neither sees what is done to the other from now on. */
  fork(): BlockList<T> {
    const copy = new BlockList<T>();
    copy.#blocks = this.#blocks.slice();
    copy.#size = this.#size;
    // Neither owns what both can see.
    this.#token = {};
    return copy;
  }

  /** A list of items that stand in their order already. */
  static of<T>(items: readonly T[]): BlockList<T> {
    const list = new BlockList<T>();
    for (let at = 0; at < items.length; at += BLOCK_ITEMS) {
      list.#blocks.push({ items: items.slice(at, at + BLOCK_ITEMS), owner: list.#token });
    }
    list.#size = items.length;
    return list;
  }

  /** The item at `index`, which must be there. */
  get(index: number): T {
    const [block, at] = this.#locate(index);
    return (this.#blocks[block] as Block<T>).items[at] as T;
  }

  set(index: number, item: T): void {
    const [block, at] = this.#locate(index);
    this.#own(block)[at] = item;
  }

  /** Puts an item before the one at `index`, or at the end. */
  insert(index: number, item: T): void {
    if (this.#blocks.length === 0) this.#blocks.push({ items: [], owner: this.#token });
    let [block, at] = this.#locate(index);
    let items = this.#own(block);
    if (items.length >= BLOCK_ITEMS) {
      // At the ends blocks stay full: that is where lists grow.
      const from = index === this.#size ? items.length : index === 0 ? 0 : BLOCK_ITEMS / 2;
      this.#blocks.splice(block + 1, 0, { items: items.splice(from), owner: this.#token });
      if (at > items.length || (at === items.length && index === this.#size)) {
        at -= items.length;
        block += 1;
        items = this.#own(block);
      }
    }
    items.splice(at, 0, item);
    this.#size += 1;
  }

  push(item: T): void {
    this.insert(this.#size, item);
  }

  /** Removes the item at `index`, which must be there. */
  remove(index: number): T {
    const [block, at] = this.#locate(index);
    const items = this.#own(block);
    const [item] = items.splice(at, 1);
    this.#size -= 1;
    const following = this.#blocks[block + 1];
    if (items.length === 0) {
      this.#blocks.splice(block, 1);
    } else if (following !== undefined && items.length + following.items.length <= BLOCK_ITEMS / 2) {
      items.push(...following.items);
      this.#blocks.splice(block + 1, 1);
    }
    return item as T;
  }

  /** The items from `index` on. The list must not be changed meanwhile. */
  *from(index: number): Generator<T> {
    if (index >= this.#size) return;
    let [block, at] = this.#locate(index);
    for (; block < this.#blocks.length; block++) {
      const { items } = this.#blocks[block] as Block<T>;
      for (; at < items.length; at++) yield items[at] as T;
      at = 0;
    }
  }

  /** All items, the last one first. The list must not be changed meanwhile. */
  *backwards(): Generator<T> {
    for (let block = this.#blocks.length - 1; block >= 0; block--) {
      const { items } = this.#blocks[block] as Block<T>;
      for (let at = items.length - 1; at >= 0; at--) yield items[at] as T;
    }
  }

  /** Up to `count` items from `index` on. */
  slice(index: number, count: number): T[] {
    const items: T[] = [];
    if (count <= 0) return items;
    for (const item of this.from(index)) {
      items.push(item);
      if (items.length >= count) break;
    }
    return items;
  }

  /** In a list that is sorted so: how many items `isBefore` holds for, which are the first ones. */
  rank(isBefore: (item: T) => boolean): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { items } = this.#blocks[middle] as Block<T>;
      if (isBefore(items[items.length - 1] as T)) low = middle + 1;
      else high = middle;
    }
    let rank = 0;
    for (let block = 0; block < low; block++) rank += (this.#blocks[block] as Block<T>).items.length;
    const items = this.#blocks[low]?.items ?? [];
    let from = 0;
    let to = items.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (isBefore(items[middle] as T)) from = middle + 1;
      else to = middle;
    }
    return rank + from;
  }

  /** The block and the place in it; of the end, the last block and the place behind its last item. */
  #locate(index: number): [number, number] {
    const last = this.#blocks.length - 1;
    if (index > this.#size / 2) {
      let behind = this.#size - index;
      for (let block = last; block > 0; block--) {
        const { length } = (this.#blocks[block] as Block<T>).items;
        if (behind <= length) return [block, length - behind];
        behind -= length;
      }
      return [0, (this.#blocks[0] as Block<T>).items.length - behind];
    }
    let before = index;
    for (let block = 0; block < last; block++) {
      const { length } = (this.#blocks[block] as Block<T>).items;
      if (before < length) return [block, before];
      before -= length;
    }
    return [last, before];
  }

  #own(block: number): T[] {
    const found = this.#blocks[block] as Block<T>;
    if (found.owner === this.#token) return found.items;
    const items = found.items.slice();
    this.#blocks[block] = { items, owner: this.#token };
    return items;
  }
}
