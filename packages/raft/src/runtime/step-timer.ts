import type { AsyncRuntime, Timer } from "@seshat/common";
import { setPatientTimer } from "./patient-timer.js";

/** Who has deadlines. */
export interface DeadlineSource {
  /** The next deadline, where it is earlier than `before`; otherwise any time that is not. */
  nextDeadline(before: number): number;
}

/**
 * One timer that follows a deadline. Deadlines move later with almost every message, so the timer is left to fire early and
 * look again, instead of being set anew each time.
 */
export class StepTimer {
  readonly #runtime: AsyncRuntime;
  readonly #source: DeadlineSource;
  readonly #due: () => void;
  #timer: Timer | null = null;
  #firesAt = Number.POSITIVE_INFINITY;

  /** @param due called when the deadline has passed. */
  constructor(runtime: AsyncRuntime, source: DeadlineSource, due: () => void) {
    this.#runtime = runtime;
    this.#source = source;
    this.#due = due;
  }

  /** The deadline may have moved. */
  adjust(): void {
    const deadline = this.#source.nextDeadline(this.#firesAt);
    if (deadline >= this.#firesAt || deadline === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    this.#firesAt = deadline;
    const delayMs = Math.max(0, deadline - this.#runtime.now());
    this.#timer = setPatientTimer(this.#runtime, delayMs, () => this.#fire());
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#firesAt = Number.NEGATIVE_INFINITY;
  }

  #fire(): void {
    this.#timer = null;
    this.#firesAt = Number.POSITIVE_INFINITY;
    if (this.#runtime.now() >= this.#source.nextDeadline(Number.POSITIVE_INFINITY)) this.#due();
    else this.adjust();
  }
}
