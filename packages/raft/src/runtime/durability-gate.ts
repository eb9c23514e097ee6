import { Fifo } from "./fifo.js";

/** Holds actions back until the writes that they speak of are durable. */
export class DurabilityGate {
  readonly #waiting = new Fifo<{ readonly afterIo: number; readonly action: () => void }>();
  #persisted = 0;

  /** True when every write up to `afterIo` is durable: nothing that speaks of them has to wait. */
  isOpen(afterIo: number): boolean {
    return afterIo <= this.#persisted;
  }

  /**
   * Runs `action` once every write up to `afterIo` is durable: now, if they are. One that asks for less than another that waits already
   * may wait as long as that.
   */
  after(afterIo: number, action: () => void): void {
    if (this.isOpen(afterIo)) action();
    else this.#waiting.push({ afterIo, action });
  }

  /** Every write up to `ioSeq` is durable. */
  advance(ioSeq: number): void {
    this.#persisted = ioSeq;
    for (
      let first = this.#waiting.first;
      first !== undefined && first.afterIo <= ioSeq;
      first = this.#waiting.first
    ) {
      this.#waiting.shift();
      first.action();
    }
  }
}
