/** What has something to write out. */
export interface Flushable {
  flush(): void;
}

/** The clients that were said something since the last flush: each writes to its socket once. */
export class Outbox {
  /** Of clients that do not take their replies: what they have not taken. */
  unsentBytes = 0;
  #waiting: Flushable[] = [];
  #isScheduled = false;
  #isAtEndOfTurn = false;

  add(client: Flushable): void {
    this.#waiting.push(client);
  }

  /** Flushes once everything that this turn answers was answered: a client may have a part in several groups. */
  flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Called while promises are settled, it comes after all of them.
    process.nextTick(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /**
   * Flushes at the end of this turn of the event loop, once every socket that had something to read was read: what is written in one go
   * wakes the other side up once.
   */
  flushAtEndOfTurn(): void {
    if (this.#isAtEndOfTurn) return;
    this.#isAtEndOfTurn = true;
    setImmediate(() => {
      this.#isAtEndOfTurn = false;
      this.flush();
    });
  }

  flush(): void {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const client of waiting) client.flush();
    }
  }
}
