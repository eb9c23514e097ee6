import type { KillKind } from "../round/plan.js";
import { KILL_KINDS } from "../round/plan.js";
import type { RoundReport } from "../round/round.js";

/** What all rounds came to. */
export class Tally {
  readonly rounds: Record<KillKind, number> = { leader: 0, follower: 0, two: 0, all: 0 };
  kills = 0;
  killsWhileStarting = 0;
  acknowledged = 0;
  unknown = 0;
  refused = 0;
  reads = 0;
  readonly #ms: number[] = [];

  add({ kind, kills, killsWhileStarting, acknowledged, unknown, refused, reads, ms }: RoundReport): void {
    this.rounds[kind] += 1;
    this.kills += kills;
    this.killsWhileStarting += killsWhileStarting;
    this.acknowledged += acknowledged;
    this.unknown += unknown;
    this.refused += refused;
    this.reads += reads;
    this.#ms.push(ms);
  }

  get count(): number {
    return this.#ms.length;
  }

  /** Milliseconds of a round: median and longest. */
  get times(): { readonly medianMs: number; readonly maxMs: number } {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return {
      medianMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
      maxMs: Math.round(sorted.at(-1) ?? 0),
    };
  }

  summary(): string {
    const kinds = KILL_KINDS.map((kind) => `${kind} ${this.rounds[kind]}`).join(", ");
    const { medianMs, maxMs } = this.times;
    return [
      `${this.count} rounds (killed: ${kinds})`,
      `${this.kills} kills, ${this.killsWhileStarting} of them while a node started`,
      `${this.acknowledged} acknowledged writes and ${this.reads} reads checked; ${this.unknown} writes with an unknown outcome, ${this.refused} refused`,
      `${medianMs} ms a round, ${maxMs} ms at most`,
      "",
    ].join("\n");
  }

  toJSON(): object {
    const { rounds, kills, killsWhileStarting, acknowledged, unknown, refused, reads } = this;
    return { rounds, kills, killsWhileStarting, acknowledged, unknown, refused, reads, ...this.times };
  }
}
