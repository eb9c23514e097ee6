/** A timer that can be cancelled, made by {@link AsyncRuntime.setTimer}. */
export interface Timer {
  /** Cancels the timer. Safe to call twice, and after it fired. */
  cancel(): void;
}

/**
 * Everything nondeterministic that a node uses, in one place: its clock, its timers, its turns of the
 * event loop and its randomness. Production uses the machine's; tests use virtual time and a seed, and
 * then a whole cluster runs the same way every time.
 */
export interface AsyncRuntime {
  /** A monotonic clock in milliseconds, with fractions, from any origin. Never the time of day. */
  now(): number;
  /** Calls `callback` once, no earlier than `delayMs` milliseconds (at least 0) from now. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` after the current turn, before any timer or socket: a microtask. */
  soon(callback: () => void): void;
  /** Calls `callback` after timers and sockets had their turn: a macrotask. */
  yield(callback: () => void): void;
  /** A random number from 0 (inclusive) to 1 (exclusive). Nothing replicated depends on it. */
  random(): number;
}
