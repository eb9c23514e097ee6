import type { AsyncRuntime } from "@seshat/common";
import { OverloadedError, TimeoutError } from "@seshat/common";

/** How many calls may be under way, and how many may wait for one of those to end. */
export interface SlotLimits {
  readonly running: number;
  readonly waiting: number;
}

/** Bounds the calls under way: the ones past the limit wait, first come first served. */
export class CallSlots {
  readonly #clock: AsyncRuntime;
  readonly #limits: SlotLimits;
  #running = 0;
  /** Who waits, longest first. Each is called once it has a slot. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: AsyncRuntime, limits: SlotLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Takes a slot, which is given back with {@link leave}.
   *
   * @throws {OverloadedError} at once when too many wait.
   * @throws {TimeoutError} when there was none in time.
   */
  enter(timeoutMs: number): Promise<void> {
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#limits.waiting) {
      return Promise.reject(new OverloadedError("calls", this.#limits.running + this.#limits.waiting));
    }
    return new Promise((resolve, reject) => {
      const entered = (): void => {
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(entered);
        reject(new TimeoutError("the end of the calls before this one", timeoutMs));
      });
      this.#waiting.add(entered);
    });
  }

  /** Gives a slot back, to whoever has waited longest. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
