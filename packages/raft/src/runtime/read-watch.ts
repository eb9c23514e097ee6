import type { AsyncRuntime, Timer } from "@seshat/common";

/** What is watched. */
export interface WatchedReads {
  /** True while a read waits for the state machine. */
  readonly wait: boolean;
  /** How far the state machine is. */
  readonly appliedIndex: number;
  /** True while the node leads: what hangs there is storage, and noticed as such. */
  readonly leads: boolean;
  /** The reads that wait cannot be served here. */
  refuse(): void;
}

/**
 * Lets no read wait for ever. One that knows its index waits until that is applied: but a node that was removed, or is cut off, gets nothing
 * more to apply. When nothing was applied for `limitMs` while reads waited, they are refused.
 */
export class ReadWatch {
  readonly #runtime: AsyncRuntime;
  readonly #limitMs: number;
  readonly #reads: WatchedReads;
  #timer: Timer | null = null;

  constructor(runtime: AsyncRuntime, limitMs: number, reads: WatchedReads) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
    this.#reads = reads;
  }

  /** A read waits. Costs a comparison when that is known: one timer serves them all. */
  begin(): void {
    if (this.#timer !== null) return;
    const { appliedIndex } = this.#reads;
    this.#timer = this.#runtime.setTimer(this.#limitMs, () => this.#look(appliedIndex));
  }

  /** Watches no more. */
  close(): void {
    this.#timer?.cancel();
  }

  #look(appliedIndex: number): void {
    this.#timer = null;
    const reads = this.#reads;
    if (!reads.wait) return;
    if (reads.appliedIndex === appliedIndex && !reads.leads) reads.refuse();
    else this.begin();
  }
}
