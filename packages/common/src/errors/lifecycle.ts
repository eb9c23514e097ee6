import { SeshatError } from "./seshat-error.js";

/** The node was shut down, so the call did nothing. */
export class ShutdownError extends SeshatError {
  override readonly code = "shutdown";

  constructor() {
    super("this node is shut down: to go on, make a new one over the same storage");
  }
}

/** The node stopped itself because of `cause`. The call did nothing. */
export class StoppedError extends SeshatError {
  override readonly code = "stopped";
  /** What the cause says. */
  readonly why: string;

  /** @param cause the error; or what it said, where only that is known. */
  constructor(cause: Error | string) {
    const why = typeof cause === "string" ? cause : cause.message;
    super(`this node has stopped, and must be started again once the cause is mended: ${why}`, { cause });
    this.why = why;
  }
}

/** A condition did not come true in time. */
export class TimeoutError extends SeshatError {
  override readonly code = "timeout";
  /** What did not happen, e.g. `"the write"`. */
  readonly waitingFor: string;
  readonly timeoutMs: number;

  constructor(waitingFor: string, timeoutMs: number) {
    super(`${waitingFor} did not happen within ${timeoutMs} ms`);
    this.waitingFor = waitingFor;
    this.timeoutMs = timeoutMs;
  }
}
