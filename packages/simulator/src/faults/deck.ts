import type { SeededRandom } from "@seshat/raft/testing";
import type { CrashKind } from "../world/node-storage.js";
import type { Act, Action, Target } from "./act.js";
import type { Feature } from "./features.js";

/** What a plan is drawn from: chance, and the kinds of trouble that there are to be. */
export class Deck {
  readonly random: SeededRandom;
  /** What was drawn, in no order. */
  readonly actions: Action[] = [];
  features: ReadonlySet<Feature> = new Set();
  /** Until when there is trouble, in virtual milliseconds. */
  faultyMs = 0;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** Has something happen again and again, where it is of a kind that there is to be: every `meanMs`, give or take a factor of three. */
  often(feature: Feature, meanMs: number, make: () => Act): void {
    if (!this.features.has(feature)) return;
    const every = meanMs * this.draw(0.3, 3);
    for (
      let at = this.draw(300, 300 + every);
      at < this.faultyMs;
      at += -Math.log(1 - this.random.next()) * every
    ) {
      this.actions.push({ at, act: make() });
    }
  }

  target(): Target {
    return this.random.next() < 0.4 ? "leader" : this.random.next();
  }

  crashKind(): CrashKind {
    return this.random.next() < 0.3 ? "process" : "machine";
  }

  numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.random.next());
  }

  draw(low: number, high: number): number {
    return low + this.random.next() * (high - low);
  }

  whole(low: number, high: number): number {
    return Math.floor(this.draw(low, high + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.whole(0, items.length - 1)] as T;
  }
}
