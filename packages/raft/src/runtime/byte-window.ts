/**
 * Bounds how many bytes are on their way. What does not fit waits its turn, in order; what is larger than the whole window
 * goes alone.
 */
export class ByteWindow {
  readonly #max: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Bytes on their way now. */
  get used(): number {
    return this.#used;
  }

  /** Calls `start` once `bytes` more fit. Whoever was let in calls {@link leave} when done. */
  enter(bytes: number, start: () => void): void {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      this.#waiting.push({ bytes, start });
      return;
    }
    this.#used += bytes;
    start();
  }

  /** `bytes` arrived, or were lost. */
  leave(bytes: number): void {
    this.#used -= bytes;
    for (
      let first = this.#waiting[0];
      first !== undefined && this.#fits(first.bytes);
      first = this.#waiting[0]
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
