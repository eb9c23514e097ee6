/** A timer may find itself early by a rounding error, and must not be set again for nothing. */
const CLOCK_PRECISION_MS = 1;

/** Numbers start again after this one: what the wire can hold. */
const LAST_ID = 2 ** 32 - 1;

interface OpenCall<T> {
  readonly value: T;
  /** On the clock of `performance.now`. */
  readonly deadline: number;
}

/** What waits for an answer, by number, each until a deadline of its own. One timer serves all. */
export class OpenCalls<T> {
  readonly #calls = new Map<number, OpenCall<T>>();
  readonly #expired: (id: number, value: T) => void;
  #lastId: number;
  #timer: NodeJS.Timeout | null = null;
  #looking: NodeJS.Immediate | null = null;
  #firesAt = Number.POSITIVE_INFINITY;

  /**
   * @param expired is told of what was not taken in time, and is out by then.
   * @param lastId the number that counts as given last.
   */
  constructor(expired: (id: number, value: T) => void, lastId = 0) {
    this.#expired = expired;
    this.#lastId = lastId;
  }

  /** The next number from 1 to 2^32 - 1 that no call has which waits. It is given again until a call is added with it. */
  nextId(): number {
    let id = this.#lastId;
    do id = id === LAST_ID ? 1 : id + 1;
    while (this.#calls.has(id));
    return id;
  }

  get size(): number {
    return this.#calls.size;
  }

  has(id: number): boolean {
    return this.#calls.has(id);
  }

  get(id: number): T | undefined {
    return this.#calls.get(id)?.value;
  }

  add(id: number, timeoutMs: number, value: T): void {
    const deadline = performance.now() + timeoutMs;
    this.#calls.set(id, { value, deadline });
    this.#lastId = id;
    this.#watch(deadline);
  }

  /** Takes a call out: whoever gets it settles it. */
  take(id: number): T | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call?.value;
  }

  /** Takes all out. */
  takeAll(): T[] {
    const values = Array.from(this.#calls.values(), ({ value }) => value);
    this.#calls.clear();
    this.#stop();
    return values;
  }

  /** Mostly everything is answered long before: the timer is left to fire and look again. */
  #watch(deadline: number): void {
    if (deadline >= this.#firesAt) return;
    this.#stop();
    this.#firesAt = deadline;
    const delayMs = Math.max(0, deadline - performance.now());
    this.#timer = setTimeout(() => {
      // A process that stood still reads the answers that have come before it finds that there are none.
      this.#looking = setImmediate(() => this.#expire());
    }, delayMs);
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#looking !== null) clearImmediate(this.#looking);
    this.#looking = null;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    this.#stop();
    const due = performance.now() + CLOCK_PRECISION_MS;
    const late = [...this.#calls].filter(([, { deadline }]) => deadline <= due);
    // What is told may take others out.
    for (const [id, { value }] of late) if (this.#calls.delete(id)) this.#expired(id, value);
    let next = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#calls.values()) next = Math.min(next, deadline);
    this.#watch(next);
  }
}
