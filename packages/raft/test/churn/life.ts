import type { VirtualClock } from "../../src/testing.js";
import { SeededRandom } from "../../src/testing.js";

/** The time between a start of a node and its end. What a dead node goes on doing reaches no disk. */
export class Life {
  readonly #timers: { setTimer(delayMs: number, callback: () => void): unknown };
  readonly #clock: VirtualClock;
  readonly #hungUntil: () => number;
  #dead = false;

  constructor(clock: VirtualClock, hungUntil: () => number) {
    this.#clock = clock;
    this.#timers = clock.runtime(new SeededRandom(0));
    this.#hungUntil = hungUntil;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** True while the disk answers nothing. */
  get hangs(): boolean {
    return this.#clock.now < this.#hungUntil();
  }

  end(): void {
    this.#dead = true;
  }

  /** Calls `then` in `delayMs` milliseconds, or later when the disk hangs; also when the node is dead by then. */
  after(delayMs: number, then: () => void): void {
    const wait = Math.max(delayMs, 0);
    this.#timers.setTimer(wait, () => {
      // A little at a time: somebody may mend the disk, or the node may die.
      if (!this.#dead && this.hangs) this.after(5, then);
      else then();
    });
  }

  /** As `after`, for who awaits it. @throws when the node is dead by then. */
  async pause(delayMs: number): Promise<void> {
    if (delayMs > 0 || this.hangs) await new Promise<void>((resolve) => this.after(delayMs, resolve));
    this.check();
  }

  /** @throws when the node is dead. */
  check(): void {
    if (this.#dead) throw new Error("the node is dead");
  }
}
