import type { BasicNode, NodeId } from "./node.js";

/**
 * The base of every error that Seshat throws on purpose. `code` is stable and meant for programs;
 * the message says what was wrong, where, and what to do.
 */
export abstract class SeshatError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** How much of a refused value an error message repeats, in UTF-16 units. */
const SHOWN_LENGTH = 200;

/** A value for people to read. Never throws and never grows with the value: it may be anything at all. */
function show(value: unknown): string {
  const text = describe(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

function describe(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_LENGTH));
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  try {
    return String(
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)),
    );
  } catch {
    return "an object that cannot be shown";
  }
}

/** A value from outside cannot be used: a configuration field, an argument, an id. */
export class InvalidValueError extends SeshatError {
  override readonly code = "invalidValue";
  /** The field or argument, as a path, e.g. `"config.heartbeatIntervalMs"`. */
  readonly field: string;

  constructor(field: string, value: unknown, expected: string) {
    super(`${field} is ${show(value)}, but it must be ${expected}`);
    this.field = field;
  }
}

/** Bytes that do not decode: truncated, damaged, of an unknown version, or not ours at all. */
export class CodecError extends SeshatError {
  override readonly code = "codec";
  /** What was being decoded, e.g. `"operation"`. */
  readonly format: string;
  /** Where decoding stopped, in bytes from the start. */
  readonly offset: number;

  constructor(format: string, offset: number, problem: string) {
    super(`cannot decode ${format} at byte ${offset}: ${problem}`);
    this.format = format;
    this.offset = offset;
  }
}

/** What storage was doing when it failed. */
export type StorageVerb =
  | "read vote"
  | "save vote"
  | "read log"
  | "append"
  | "truncate"
  | "purge"
  | "apply"
  | "read snapshot"
  | "build snapshot"
  | "install snapshot";

/**
 * Storage failed or broke its contract. The node stops: what it wrote may or may not be there, and
 * trying again would only guess (a failed sync loses the pages it was for).
 */
export class StorageError extends SeshatError {
  override readonly code = "storage";
  readonly verb: StorageVerb;

  constructor(verb: StorageVerb, problem: string, options?: ErrorOptions) {
    super(`storage failed to ${verb}: ${problem}`, options);
    this.verb = verb;
  }
}

/** This node is not the leader. The write was not appended and is safe to send again, elsewhere. */
export class NotLeaderError extends SeshatError {
  override readonly code = "notLeader";
  /** The leader as far as this node knows, or null. */
  readonly leaderId: NodeId | null;
  /** How the membership describes that leader, or null. */
  readonly leaderNode: BasicNode | null;

  constructor(leaderId: NodeId | null, leaderNode: BasicNode | null) {
    super(
      leaderId === null
        ? "this node is not the leader, and knows of none yet: try again after an election"
        : `this node is not the leader: ask node ${leaderId}${leaderNode === null ? "" : ` at ${leaderNode.addr}`}`,
    );
    this.leaderId = leaderId;
    this.leaderNode = leaderNode;
  }
}

/**
 * This node led, and no quorum answers it any more, so it stepped down. The write was not appended and is safe to send
 * again; the read was not served.
 */
export class QuorumNotEnoughError extends SeshatError {
  override readonly code = "quorumNotEnough";

  constructor() {
    super(
      "this node has lost touch with the majority, and no leader is known: try again, here or on another node",
    );
  }
}

/** The write was to be appended only under a condition, which does not hold. It was not appended. */
export class PreconditionFailedError extends SeshatError {
  override readonly code = "preconditionFailed";

  constructor(found: string) {
    super(`the precondition of the write does not hold: ${found}`);
  }
}

/**
 * It is not known whether the write happened: it was appended, and this node can no longer tell what
 * became of it. It may be applied later, or never. Sending it again may apply it twice.
 */
export class UnknownOutcomeError extends SeshatError {
  override readonly code = "unknownOutcome";

  constructor(why: string, options?: ErrorOptions) {
    super(
      `the outcome of the write is unknown: ${why}; it may be applied later or never, so read the state before sending it again`,
      options,
    );
  }
}

/** `initialize` was called on a node that already has a log, a vote or a membership. Nothing was changed. */
export class AlreadyInitializedError extends SeshatError {
  override readonly code = "alreadyInitialized";

  constructor(found: string) {
    super(
      `this node is already initialized (it has ${found}): initialize is for a new cluster, once; to change its members use a membership change`,
    );
  }
}

/** `initialize` was called with a membership in which this node is no voter. Nothing was changed. */
export class NotAMemberError extends SeshatError {
  override readonly code = "notAMember";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(
      `node ${nodeId} is not a voter of the membership given to initialize: add it there, or call initialize on one of the voters`,
    );
    this.nodeId = nodeId;
  }
}

/** More work is waiting than the node will hold. The write was not appended: slow down and send it again. */
export class OverloadedError extends SeshatError {
  override readonly code = "overloaded";

  constructor(what: string, limit: number) {
    super(`too many ${what} are waiting (the limit is ${limit}): try again later`);
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

  constructor(cause: Error) {
    super(`this node has stopped, and must be started again once the cause is mended: ${cause.message}`, {
      cause,
    });
  }
}

/** A condition did not come true in time. */
export class TimeoutError extends SeshatError {
  override readonly code = "timeout";

  constructor(waitingFor: string, timeoutMs: number) {
    super(`${waitingFor} did not happen within ${timeoutMs} ms`);
  }
}

/** The peer could not be reached: nothing is known of what it did, and nothing was promised by it. */
export class UnreachableError extends SeshatError {
  override readonly code = "unreachable";
  readonly target: NodeId;

  constructor(target: NodeId, why: string, options?: ErrorOptions) {
    super(`node ${target} is unreachable: ${why}`, options);
    this.target = target;
  }
}
