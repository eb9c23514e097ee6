/** A caller that waits for an answer of type `T`. */
export interface PendingRequest<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Callers that wait for an answer, by the id of their request. Each is answered once and forgotten. */
export class PendingRequests<T> {
  readonly #waiting = new Map<number, PendingRequest<T>>();
  #lastId = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Makes a request id and a promise of its answer. `start` is called with the id. */
  open(start: (id: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
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
