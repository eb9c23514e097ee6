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
  readonly #waiting = new Map<number, PendingRequest<T>>();
  readonly #ids: RequestIds;

  /** @param ids shared with those from which these requests are to be told apart. */
  constructor(ids: RequestIds = new RequestIds()) {
    this.#ids = ids;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Makes a request id and a promise of its answer. `start` is called with the id. */
  open(start: (id: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#ids.next();
      this.#waiting.set(id, { resolve, reject });
      start(id);
    });
  }

  /** Takes out who waits under `id`; undefined when nobody does any more. */
  take(id: number): PendingRequest<T> | undefined {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    return request;
  }

  /** Rejects everybody. */
  rejectAll(error: Error): void {
    for (const request of this.#waiting.values()) request.reject(error);
    this.#waiting.clear();
  }
}
