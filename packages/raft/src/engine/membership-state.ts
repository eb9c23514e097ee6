import type { Membership, StoredMembership } from "@seshat/common";
import type { EngineState } from "./state.js";

/**
 * Which membership is in force: the last one in the log, committed or not (Raft thesis section 4.1). The ones that
 * could come back when entries are truncated are kept with it.
 */

/** The membership in force, with the entry that brought it. */
export function effectiveMembership(state: EngineState): StoredMembership<unknown> {
  return state.memberships.at(-1) as StoredMembership<unknown>;
}

/** The last membership known to be committed. */
export function committedMembership(state: EngineState): StoredMembership<unknown> {
  return state.memberships[0] as StoredMembership<unknown>;
}

/** Shorthand for the membership in force. */
export function membershipOf(state: EngineState): Membership<unknown> {
  return effectiveMembership(state).membership;
}

/** A membership entry was appended: it is in force at once. */
export function adoptMembership(state: EngineState, stored: StoredMembership<unknown>): void {
  state.memberships.push(stored);
}

/** Entries from index `since` on were truncated: the membership before them is in force again. */
export function rollBackMemberships(state: EngineState, since: number): void {
  while (state.memberships.length > 1 && effectiveMembership(state).logId.index >= since)
    state.memberships.pop();
}

/** Everything up to index `committed` is committed: what came before the last committed membership cannot come back. */
export function commitMemberships(state: EngineState, committed: number): void {
  let older = 0;
  while (
    older + 1 < state.memberships.length &&
    (state.memberships[older + 1] as StoredMembership<unknown>).logId.index <= committed
  )
    older++;
  state.memberships.splice(0, older);
}
