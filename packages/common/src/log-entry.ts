import type { LogId } from "./log-id.js";
import type { Membership } from "./membership.js";
import type { BasicNode } from "./node.js";

/** An entry without content: a new leader commits one to commit what came before (Raft paper section 8). */
export interface BlankPayload {
  readonly type: "blank";
}

/**
 * Says which command of which session an entry carries, so that however often it is sent it takes effect once
 * (Raft thesis section 6.3).
 */
export interface SessionCommand {
  /** The session: the index of the entry that opened it. */
  readonly sessionId: number;
  /** Numbers the commands of the session, from 1 on. Sent again, a command keeps its number. */
  readonly sequence: number;
  /** The client has the answers to all commands below this number, so they need not be kept. From 1 on. */
  readonly answeredBelow: number;
}

/** A command for the state machine. */
export interface NormalPayload<D> {
  readonly type: "normal";
  readonly data: D;
  /** Left out by clients that do not need exactly-once. */
  readonly session?: SessionCommand;
}

/** Opens a session, which is named by the index of this entry. */
export interface OpenSessionPayload {
  readonly type: "openSession";
  /**
   * The session ends once this many entries, of whatever kind and at least 1, were applied since it was last used.
   * Counted in the log, never by a clock.
   */
  readonly expiresAfter: number;
}

/** A change of membership: in force from the moment it is appended (Raft thesis section 4.1). */
export interface MembershipPayload<N> {
  readonly type: "membership";
  readonly membership: Membership<N>;
}

/** What an entry carries. */
export type EntryPayload<D, N = BasicNode> =
  | BlankPayload
  | NormalPayload<D>
  | OpenSessionPayload
  | MembershipPayload<N>;

/** One entry of the replicated log: `D` is the application's command, `N` the description of a node. */
export interface LogEntry<D, N = BasicNode> {
  readonly logId: LogId;
  readonly payload: EntryPayload<D, N>;
}

/** The one blank payload. */
export const BLANK_PAYLOAD: BlankPayload = Object.freeze({ type: "blank" });
