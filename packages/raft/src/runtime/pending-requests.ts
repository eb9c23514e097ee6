/** A caller that waits for an answer of type `T`. */
export interface PendingRequest<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Gives every request of a node its own id, of whatever kind it is. */
export class RequestIds {
  #last = 0;

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

/** Callers that wait for an answer, by the id of their request. Each is answered once and forgotten. */
export class PendingRequests<T> {
  /** Mostly there is one at a time: it needs no map. */
  #only: PendingRequest<T> | null = null;
  #onlyId = 0;
  /** All others. */
  readonly #waiting = new Map<number, PendingRequest<T>>();
  readonly #ids: RequestIds;

  /** @param ids shared with those from which these requests are to be told apart. */
  constructor(ids: RequestIds = new RequestIds()) {
    this.#ids = ids;
  }

  get size(): number {
    return this.#waiting.size + (this.#only === null ? 0 : 1);
  }

  /** Makes a request id and a promise of its answer. `start` is called with the id. */
  open(start: (id: number) => void): Promise<T> {
    return new Promise((resolve, reject) => start(this.enter({ resolve, reject })));
  }

  /** Lets somebody wait who needs no promise. @returns the id of the request. */
  enter(request: PendingRequest<T>): number {
    const id = this.#ids.next();
    if (this.#only === null) {
      this.#only = request;
      this.#onlyId = id;
    } else this.#waiting.set(id, request);
    return id;
  }

  /** Takes out who waits under `id`; undefined when nobody does any more. */
  take(id: number): PendingRequest<T> | undefined {
    const only = this.#only;
    if (only !== null && id === this.#onlyId) {
      this.#only = null;
      return only;
    }
    if (this.#waiting.size === 0) return undefined;
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    return request;
  }

  /** Rejects everybody. */
  rejectAll(error: Error): void {
    const waiting = [...this.#waiting.values()];
    if (this.#only !== null) waiting.unshift(this.#only);
    this.#only = null;
    this.#waiting.clear();
    for (const request of waiting) request.reject(error);
  }
}
