import type { AsyncRuntime } from "@seshat/common";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";

/**
 * The time and the chance of one life of a node, from its start to its crash. What a dead node left behind (timers, turns, calls) never
 * happens: nothing of it reaches the cluster any more.
 */
export class Life {
  readonly runtime: AsyncRuntime;
  #alive = true;
  /** Until when its process stands still, on the cluster's clock. */
  #pausedUntil = 0;
  #held: (() => void)[] = [];
  readonly #clock: VirtualClock;
  readonly #base: AsyncRuntime;

  /** @param rate how fast this node's clock runs: 1.01 is one percent fast. */
  constructor(clock: VirtualClock, random: SeededRandom, rate: number) {
    this.#clock = clock;
    this.#base = clock.runtime(random);
    const base = this.#base;
    this.runtime = {
      now: () => base.now() * rate,
      setTimer: (delayMs, callback) => base.setTimer(delayMs / rate, () => this.run(callback)),
      soon: (callback) => base.soon(() => this.run(callback)),
      yield: (callback) => base.yield(() => this.run(callback)),
      random: () => base.random(),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs something in this process: not at all once it is dead, and later while it stands still. */
  run(callback: () => void): void {
    if (!this.#alive) return;
    if (this.#pausedUntil > this.#clock.now) this.#held.push(callback);
    else callback();
  }

  /** The process stands still for `ms`; then everything that became due happens at once, late. */
  pause(ms: number): void {
    this.#pausedUntil = this.#clock.now + ms;
    this.#base.setTimer(ms, () => {
      if (this.#pausedUntil > this.#clock.now) return;
      for (const callback of this.#held.splice(0)) this.run(callback);
    });
  }

  end(): void {
    this.#alive = false;
    this.#held = [];
  }
}
