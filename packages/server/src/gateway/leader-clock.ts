/**
 * The time that a leader stamps on entries, in milliseconds since 1970. It never goes back: not when the clock of the machine does, and
 * not when the one before it was ahead.
 */
export class LeaderClock {
  readonly #wallMs: () => number;
  readonly #stateMs: () => number;
  #last = 0;

  /**
   * @param wallMs the clock of this machine.
   * @param stateMs the clock of the replicated state.
   */
  constructor(wallMs: () => number, stateMs: () => number) {
    this.#wallMs = wallMs;
    this.#stateMs = stateMs;
  }

  nowMs(): number {
    const now = Math.max(this.#wallMs(), this.#stateMs(), this.#last);
    this.#last = now;
    return now;
  }
}
