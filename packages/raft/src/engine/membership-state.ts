import type { Membership, NodeId, StoredMembership } from "@seshat/common";
import { isVoter } from "@seshat/common";
import type { EngineState } from "./state.js";

/**
 * Which membership is in force: the last one in the log, committed or not (Raft thesis section 4.1). The ones that
 * could come back when entries are truncated are kept with it.
 */

/** The membership in force, with the entry that brought it. */
export function effectiveMembership(state: EngineState): StoredMembership<unknown> {
  return state.memberships[state.memberships.length - 1] as StoredMembership<unknown>;
}

/** The last membership known to be committed. */
export function committedMembership(state: EngineState): StoredMembership<unknown> {
  return state.memberships[0] as StoredMembership<unknown>;
}

/** Shorthand for the membership in force. */
export function membershipOf(state: EngineState): Membership<unknown> {
  return effectiveMembership(state).membership;
}

/**
 * True when this node votes in `membership`, from the store that it runs on. A node whose store was erased and that was added again gets
 * the log from its beginning, and with it memberships in which the store that is gone voted, perhaps alone: they do not make it
 * a voter.
 */
export function isVotingHere(
  { id, incarnation }: Pick<EngineState, "id" | "incarnation">,
  membership: Membership<unknown>,
): boolean {
  const recorded = membership.incarnations.get(id);
  return isVoter(membership, id) && (recorded === undefined || incarnation === 0 || recorded === incarnation);
}

/**
 * True when this node may be needed to lead: it votes in the membership in force, or did before, and does not know that to be over. When
 * nobody but the outgoing voters has the entry that ends a joint membership, only one of them can be elected and commit it (Raft thesis
 * section 4.2.2, figure 4.6). Its own vote does not count for that. A store that voted before and is gone was another voter: where only
 * memberships before the one in force name it, this node is needed if the one in force names the store that it runs on.
 */
export function mayBeNeeded(state: {
  readonly id: NodeId;
  readonly incarnation: number;
  readonly memberships: readonly StoredMembership<unknown>[];
}): boolean {
  const { id, memberships } = state;
  const inForce = memberships[memberships.length - 1]?.membership;
  if (inForce !== undefined && isVotingHere(state, inForce)) return true;
  return (
    memberships.some(({ membership }) => isVoter(membership, id)) &&
    memberships.every(({ membership }) => !isVoter(membership, id) || isVotingHere(state, membership))
  );
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
  if (older > 0) state.memberships.splice(0, older);
}

/** A snapshot was installed, which brings `stored`: what came before is gone, and entries after it stand. */
export function adoptSnapshotMembership(
  state: EngineState,
  stored: StoredMembership<unknown>,
  lastIndex: number,
): void {
  const later = state.memberships.filter(({ logId }) => logId.index > lastIndex);
  state.memberships.splice(0, state.memberships.length, stored, ...later);
  commitMemberships(state, state.committed.index);
}
