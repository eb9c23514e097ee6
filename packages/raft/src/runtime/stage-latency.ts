import { LatencyHistogram } from "@seshat/common";

/** The stages of a write on the leader, each counted from the moment at which it was proposed. */
export type Stage = "appended" | "committed" | "applied";

/** How long writes took to reach a stage, in milliseconds. Writes of one batch count once. */
export interface StageLatency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long the writes took that this node proposed, since it started. */
export interface StageLatencies {
  /** Until they were durable on this node. */
  readonly appended: StageLatency;
  /** Until a quorum had them. */
  readonly committed: StageLatency;
  /** Until the state machine had applied them. */
  readonly applied: StageLatency;
}

/** Batches that are followed at once, a power of two; more than that are not measured. */
const MAX_OPEN = 4096;
const MASK = MAX_OPEN - 1;

/** Measures how long writes take from stage to stage, batch by batch, in a fixed amount of memory. */
export class StageClock {
  /** The time of what is told next: that of the step, so that measuring reads no clock of its own. */
  now = 0;
  /** A ring of batches: up to which index each goes, and when it was proposed. */
  readonly #upto: number[] = [];
  readonly #proposedAt: number[] = [];
  /** How many batches were ever followed: the next one's place in the ring. */
  #end = 0;
  readonly #appended = new Tally();
  readonly #committed = new Tally();
  readonly #applied = new Tally();

  /** Writes up to index `upto` were proposed. */
  proposed(upto: number): void {
    const oldest = Math.min(this.#appended.next, this.#committed.next, this.#applied.next);
    if (this.#end - oldest >= MAX_OPEN) return;
    this.#upto[this.#end & MASK] = upto;
    this.#proposedAt[this.#end & MASK] = this.now;
    this.#end += 1;
  }

  /** True while writes are on their way to `stage`. */
  follows(stage: Stage): boolean {
    return this.#tallyOf(stage).next !== this.#end;
  }

  /** Everything up to index `upto` has come to `stage`. */
  reached(stage: Stage, upto: number): void {
    const tally = this.#tallyOf(stage);
    // Mostly there is none: followers propose nothing, and a stage is often reached with the one before.
    if (tally.next === this.#end) return;
    while (tally.next < this.#end && (this.#upto[tally.next & MASK] as number) <= upto) {
      tally.latencies.record(Math.max(0, this.now - (this.#proposedAt[tally.next & MASK] as number)));
      tally.next += 1;
    }
  }

  #tallyOf(stage: Stage): Tally {
    if (stage === "appended") return this.#appended;
    return stage === "committed" ? this.#committed : this.#applied;
  }

  /** Nobody follows up on the proposals of this node any more. */
  abandoned(): void {
    for (const tally of [this.#appended, this.#committed, this.#applied]) tally.next = this.#end;
  }

  read(): StageLatencies {
    return {
      appended: summarize(this.#appended.latencies),
      committed: summarize(this.#committed.latencies),
      applied: summarize(this.#applied.latencies),
    };
  }
}

/** What came to one stage. */
class Tally {
  readonly latencies = new LatencyHistogram();
  /** The oldest batch that did not, by its place in the ring. */
  next = 0;
}

function summarize(histogram: LatencyHistogram): StageLatency {
  const { count, maxMs } = histogram;
  return { count, p50Ms: histogram.percentileMs(0.5), p99Ms: histogram.percentileMs(0.99), maxMs };
}
