/** What a stream of changes is made from. */
export interface ChangeSource<T> {
  /** The value now. What it throws ends the stream. */
  read(): T;
  /** When two values count as the same. What it throws ends the stream. */
  isSame(a: T, b: T): boolean;
  /** Calls back whenever the value may be another one. @returns how to end that. */
  watch(watcher: () => void): () => void;
  /** True once no other value can come. */
  isOver(): boolean;
}

interface Reader<T> {
  resolve(result: IteratorResult<T, void>): void;
  reject(error: unknown): void;
}

/**
 * A value, now and each time that it is another one. Whoever is slow to take a value gets the newest one next: what came between is left
 * out, so nothing piles up. It watches only while a reader waits, so a stream that is dropped costs nothing; unlike that of a
 * generator, its `return` ends a wait at once.
 */
export class ChangeStream<T> implements AsyncGenerator<T, void, undefined> {
  readonly #source: ChangeSource<T>;
  /** Who waits for the next value, oldest first. */
  readonly #readers: Reader<T>[] = [];
  #last: { readonly value: T } | null = null;
  #unwatch: (() => void) | null = null;
  #ended = false;

  constructor(source: ChangeSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<T, void>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Ends the stream, and every wait for it. */
  async return(): Promise<IteratorResult<T, void>> {
    this.#end();
    return { done: true, value: undefined };
  }

  /** Ends the stream, and every wait for it. */
  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    this.#end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  /** Gives readers what there is for them, and watches for more while one is left. */
  #serve(): void {
    for (let reader = this.#readers[0]; reader !== undefined; reader = this.#readers[0]) {
      try {
        if (this.#ended) return this.#end();
        if (!this.#isNews()) {
          if (this.#source.isOver()) return this.#end();
          this.#unwatch ??= this.#source.watch(() => this.#serve());
          return;
        }
        this.#readers.shift();
        reader.resolve({ done: false, value: (this.#last as { readonly value: T }).value });
      } catch (error) {
        reader.reject(error);
        this.#end();
      }
    }
    this.#stopWatching();
  }

  #isNews(): boolean {
    const value = this.#source.read();
    if (this.#last !== null && this.#source.isSame(this.#last.value, value)) return false;
    this.#last = { value };
    return true;
  }

  #end(): void {
    this.#ended = true;
    this.#stopWatching();
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }

  #stopWatching(): void {
    this.#unwatch?.();
    this.#unwatch = null;
  }
}
