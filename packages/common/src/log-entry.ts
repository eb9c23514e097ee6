import type { LogId } from "./log-id.js";
import type { Membership } from "./membership.js";
import type { BasicNode } from "./node.js";

/** An entry without content: a new leader commits one to commit what came before (Raft paper section 8). */
export interface BlankPayload {
  readonly type: "blank";
}

/** A command for the state machine. */
export interface NormalPayload<D> {
  readonly type: "normal";
  readonly data: D;
}

/** A change of membership: in force from the moment it is appended (Raft thesis section 4.1). */
export interface MembershipPayload<N> {
  readonly type: "membership";
  readonly membership: Membership<N>;
}

/** What an entry carries. */
export type EntryPayload<D, N = BasicNode> = BlankPayload | NormalPayload<D> | MembershipPayload<N>;

/** One entry of the replicated log: `D` is the application's command, `N` the description of a node. */
export interface LogEntry<D, N = BasicNode> {
  readonly logId: LogId;
  readonly payload: EntryPayload<D, N>;
}

/** The one blank payload. */
export const BLANK_PAYLOAD: BlankPayload = Object.freeze({ type: "blank" });
