import type { AsyncRuntime, Timer } from "@seshat/common";
import { CLOCK_PRECISION_MS } from "./clock.js";

/**
 * How long followers that lack nothing else wait to learn that something is committed, in milliseconds, where heartbeats come no sooner. A message of its
 * own costs as much as an entry does. A client that was answered over a network, and writes again, is back in less, and its write carries the news.
 */
const HOLD_MS = 2;

/** Who leads, and what its followers do not know. */
export interface CommitNewsSource {
  /** True when a follower is to learn that something is committed, and nothing that is on its way says so. */
  hasNews(): boolean;
}

/** Holds news of the commit index back a moment. One timer serves all: it is left to fire and look again. */
export class CommitNews {
  readonly #runtime: AsyncRuntime;
  readonly #source: CommitNewsSource;
  readonly #tell: () => void;
  readonly #holdMs: number;
  /** Since when there is news; null for none. */
  #since: number | null = null;
  #timer: Timer | null = null;
  #closed = false;

  /** @param tell called when news has waited long enough. */
  constructor(
    runtime: AsyncRuntime,
    heartbeatIntervalMs: number,
    source: CommitNewsSource,
    tell: () => void,
  ) {
    this.#runtime = runtime;
    this.#source = source;
    this.#tell = tell;
    this.#holdMs = Math.min(HOLD_MS, heartbeatIntervalMs);
  }

  /** There may be news, or what was news may have been told with something else. */
  look(): void {
    if (!this.#source.hasNews()) {
      this.#since = null;
      return;
    }
    this.#since ??= this.#runtime.now();
    this.#watch(this.#holdMs);
  }

  /** Tells nothing more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #watch(delayMs: number): void {
    if (this.#closed) return;
    this.#timer ??= this.#runtime.setTimer(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#timer = null;
    if (this.#since === null) return;
    const left = this.#since + this.#holdMs - this.#runtime.now();
    if (left > CLOCK_PRECISION_MS) {
      this.#watch(left);
      return;
    }
    this.#since = null;
    this.#tell();
  }
}
