import type { AsyncRuntime, Timer } from "@seshat/common";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";

interface LifeTimer {
  /** On the clock of its node. */
  readonly due: number;
  readonly callback: () => void;
  base: Timer;
}

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
  /** How far its clock has leapt, in its own milliseconds. */
  #leapt = 0;
  /** Timers that are not due yet, in the order in which they were set. */
  readonly #timers = new Set<LifeTimer>();
  readonly #rate: number;
  readonly #clock: VirtualClock;
  readonly #base: AsyncRuntime;

  /** @param rate how fast this node's clock runs: 1.01 is one percent fast. */
  constructor(clock: VirtualClock, random: SeededRandom, rate: number) {
    this.#clock = clock;
    this.#base = clock.runtime(random);
    this.#rate = rate;
    const base = this.#base;
    this.runtime = {
      now: () => this.#now(),
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
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

  /** Its clock leaps ahead by `ms` of its own milliseconds: what becomes due by that happens at once, in order. */
  jump(ms: number): void {
    this.#leapt += ms;
    const now = this.#now();
    const timers = [...this.#timers].sort((a, b) => a.due - b.due);
    for (const timer of timers) {
      timer.base.cancel();
      timer.base = this.#base.setTimer(Math.max(0, timer.due - now) / this.#rate, () => this.#fire(timer));
    }
  }

  end(): void {
    this.#alive = false;
    this.#held = [];
    this.#timers.clear();
  }

  #now(): number {
    return this.#base.now() * this.#rate + this.#leapt;
  }

  #setTimer(delayMs: number, callback: () => void): Timer {
    const timer: LifeTimer = {
      due: this.#now() + delayMs,
      callback,
      base: this.#base.setTimer(delayMs / this.#rate, () => this.#fire(timer)),
    };
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.base.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  #fire(timer: LifeTimer): void {
    this.#timers.delete(timer);
    this.run(timer.callback);
  }
}
