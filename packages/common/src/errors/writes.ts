import { SeshatError } from "./seshat-error.js";

/** The write was to be appended only under a condition, which does not hold. It was not appended. */
export class PreconditionFailedError extends SeshatError {
  override readonly code = "preconditionFailed";
  /** What holds instead. */
  readonly found: string;

  constructor(found: string) {
    super(`the precondition does not hold: ${found}`);
    this.found = found;
  }
}

/** More work is waiting than the node will hold. The write was not appended: slow down and send it again. */
export class OverloadedError extends SeshatError {
  override readonly code = "overloaded";
  /** What there is too much of, e.g. `"requests"`. */
  readonly what: string;
  readonly limit: number;

  constructor(what: string, limit: number) {
    super(`too many ${what} are waiting (the limit is ${limit}): try again later`);
    this.what = what;
    this.limit = limit;
  }
}

/**
 * It is not known whether the write happened: it was appended, and this node can no longer tell what
 * became of it. It may be applied later, or never. Sending it again may apply it twice.
 */
export class UnknownOutcomeError extends SeshatError {
  override readonly code = "unknownOutcome";
  /** Why it is not known. */
  readonly why: string;

  constructor(why: string, options?: ErrorOptions) {
    super(
      `the outcome of the write is unknown: ${why}; it may be applied later or never, so read the state before sending it again`,
      options,
    );
    this.why = why;
  }
}

/** Why a session was not opened, or a command of it not carried out. */
export type SessionProblem =
  /** There is no such session: never opened, not used for too long, or crowded out by many that were used since. */
  | "expired"
  /** The client said that it has the answer to this command, so the answer is gone. */
  | "alreadyAnswered"
  /** The session has too many commands without an answer. */
  | "tooManyUnanswered"
  /** A number of the session or the command is no integer from 1 to 2^53 - 1. */
  | "malformed"
  /** The state machine keeps no sessions: it has no codec for its responses. */
  | "unsupported";

const SESSION_ADVICE: Readonly<Record<SessionProblem, string>> = {
  expired:
    "it was never opened, or not used for too long: whether an earlier attempt took effect is unknown; open a new session",
  alreadyAnswered: "the client already had the answer to this command",
  tooManyUnanswered: "it has too many commands without an answer: wait for some of them",
  malformed: "its numbers must be integers from 1 to 2^53 - 1",
  unsupported: "the state machine keeps no sessions: give it a codec for its responses",
};

/**
 * A session was not opened, or a command of it not carried out: this attempt was committed and had no effect. What
 * became of an earlier attempt, `problem` says.
 */
export class SessionError extends SeshatError {
  override readonly code = "session";
  /** The session: the index of the entry that opened it. */
  readonly sessionId: number;
  readonly problem: SessionProblem;

  constructor(sessionId: number, problem: SessionProblem) {
    super(`session ${sessionId}: ${SESSION_ADVICE[problem]}`);
    this.sessionId = sessionId;
    this.problem = problem;
  }
}
