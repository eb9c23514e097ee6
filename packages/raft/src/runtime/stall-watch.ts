import type { AsyncRuntime, StorageVerb, Timer } from "@seshat/common";
import { setPatientTimer } from "./patient-timer.js";

/** A call to storage that has not ended. */
export interface StorageCall {
  readonly verb: StorageVerb;
  readonly since: number;
}

/**
 * Notices when storage does not end what it was asked for. Only calls that do not answer at once are watched, so a
 * store in memory costs nothing.
 */
export class StallWatch {
  readonly #runtime: AsyncRuntime;
  readonly #limitMs: number;
  readonly #changed: (verb: StorageVerb | null) => void;
  /** In the order in which they began: the first is the oldest. */
  readonly #calls = new Set<StorageCall>();
  #timer: Timer | null = null;
  #stalled = false;
  #closed = false;

  /** @param changed told what hangs when something does for longer than `limitMs`, and null when nothing does any more. */
  constructor(runtime: AsyncRuntime, limitMs: number, changed: (verb: StorageVerb | null) => void) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
    this.#changed = changed;
  }

  /** A call is under way. @returns what to hand to `end`. */
  begin(verb: StorageVerb): StorageCall {
    const call = { verb, since: this.#runtime.now() };
    this.#calls.add(call);
    if (this.#timer === null && !this.#stalled) this.#arm();
    return call;
  }

  /** It ended, well or not. */
  end(call: StorageCall): void {
    this.#calls.delete(call);
    if (!this.#stalled || this.#overdue() !== null) return;
    this.#stalled = false;
    if (this.#closed) return;
    this.#changed(null);
    this.#arm();
  }

  /** Watches and tells nothing more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const [oldest] = this.#calls;
    if (oldest === undefined || this.#closed) return;
    const delay = Math.max(0, oldest.since + this.#limitMs - this.#runtime.now());
    this.#timer = setPatientTimer(this.#runtime, delay, () => this.#look());
  }

  #look(): void {
    this.#timer = null;
    const overdue = this.#overdue();
    if (overdue === null) {
      this.#arm();
      return;
    }
    // While it hangs there is nothing to look for but its end: no timer runs.
    this.#stalled = true;
    this.#changed(overdue.verb);
  }

  #overdue(): StorageCall | null {
    const [oldest] = this.#calls;
    return oldest !== undefined && this.#runtime.now() >= oldest.since + this.#limitMs ? oldest : null;
  }
}
