/**
 * First in, first out. A ring of a power of two of slots, so that a queue which fills and empties with every turn makes no garbage, and taking
 * the oldest moves nothing; `Array.shift`, and setting the length of an array, are calls out of JavaScript.
 */
export class Fifo<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(16).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The oldest; undefined when there is none. */
  get first(): T | undefined {
    return this.#ring[this.#head];
  }

  /** The one added last; undefined when there is none. */
  get last(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#slot(this.#length - 1)];
  }

  /** Replaces the one added last. There is one. */
  set last(item: T) {
    this.#ring[this.#slot(this.#length - 1)] = item;
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#slot(this.#length)] = item;
    this.#length += 1;
  }

  /** Takes out the oldest; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#slot(1);
    this.#length -= 1;
    return item;
  }

  /** Takes out all of them, oldest first. */
  takeAll(): T[] {
    const items: T[] = [];
    while (this.#length > 0) items.push(this.shift() as T);
    return items;
  }

  #slot(position: number): number {
    return (this.#head + position) & (this.#ring.length - 1);
  }

  #grow(): void {
    const ring = new Array<T | undefined>(this.#ring.length * 2).fill(undefined);
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[this.#slot(i)];
    this.#ring = ring;
    this.#head = 0;
  }
}
