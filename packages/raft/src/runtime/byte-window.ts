import { Fifo } from "./fifo.js";

/**
 * Bounds how many bytes are on their way. What does not fit waits its turn, in order; what is larger than the whole window
 * goes alone.
 */
export class ByteWindow {
  readonly #max: number;
  #used = 0;
  readonly #waiting = new Fifo<{ readonly bytes: number; readonly start: () => void }>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Bytes on their way now. */
  get used(): number {
    return this.#used;
  }

  /** Calls `start` once `bytes` more fit. Whoever was let in calls {@link leave} when done. */
  enter(bytes: number, start: () => void): void {
    if (this.tryEnter(bytes)) start();
    else this.#waiting.push({ bytes, start });
  }

  /** The same for what fits at once. @returns false when it does not: then nothing was done. */
  tryEnter(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  /** `bytes` arrived, or were lost. */
  leave(bytes: number): void {
    this.#used -= bytes;
    for (
      let first = this.#waiting.first;
      first !== undefined && this.#fits(first.bytes);
      first = this.#waiting.first
    ) {
      this.#waiting.shift();
      this.#used += first.bytes;
      first.start();
    }
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#max;
  }
}
