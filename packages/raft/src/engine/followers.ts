import type { Membership, NodeId } from "@seshat/common";
import { isVoter } from "@seshat/common";
import type { Context } from "./context.js";
import { membershipOf } from "./membership-state.js";
import { countFrom, newProgress, noteFailure, noteIncarnation } from "./progress.js";
import type { Progress } from "./progress.js";
import type { LeaderRole } from "./state.js";
import { missChosen } from "./thrifty.js";

/**
 * Makes the followers of a leader those that the memberships call for: every member, and who leaves for as long as that is not
 * committed, so that it learns of it and does not stand for election (Raft thesis section 4.2.2).
 *
 * @param before the membership in force until now: who votes only from now on has a whole election timeout to answer before
 *   its silence counts.
 */
export function syncFollowers(ctx: Context, role: LeaderRole, before: Membership<unknown>): void {
  const { state } = ctx;
  const wanted = new Set<NodeId>();
  for (const { membership } of state.memberships) {
    for (const id of membership.nodes.keys()) if (id !== state.id) wanted.add(id);
  }
  for (const id of role.progress.keys()) if (!wanted.has(id)) role.progress.delete(id);
  for (const id of wanted) {
    const progress = role.progress.get(id);
    if (progress === undefined) role.progress.set(id, newProgress(state.log.last.index + 1, ctx.now));
    else if (isVoter(membershipOf(state), id) && !isVoter(before, id)) countFrom(progress, ctx.now);
  }
}

/** A follower of this node, which leads. */
export interface Follower {
  readonly role: LeaderRole;
  readonly progress: Progress;
}

/** The follower that an answer is from; undefined unless this node still leads the term in which it asked. */
export function followerOf(ctx: Context, from: NodeId, requestTerm: number): Follower | undefined {
  const { role, vote } = ctx.state;
  if (role.type !== "leader" || requestTerm !== vote.term) return undefined;
  const progress = role.progress.get(from);
  return progress === undefined ? undefined : { role, progress };
}

/** It did not answer, or not as it should: wait a little before the next attempt. */
export function pauseFollower(ctx: Context, role: LeaderRole, progress: Progress): void {
  ctx.deadlineMoved = true;
  if (!progress.spare) missChosen(ctx, role);
  noteFailure(progress, ctx.now, ctx.config.backoffMinMs, ctx.config.backoffMaxMs);
}

/**
 * True when an answer comes from the store that the follower is known by. What a voter has acknowledged on another store is
 * gone, so its answers do not count until it is removed and added again; a learner that lost its store begins anew.
 */
export function isKnownStore(
  ctx: Context,
  id: NodeId,
  { role, progress }: Follower,
  incarnation: number,
): boolean {
  if (incarnation === 0) return true;
  const membership = membershipOf(ctx.state);
  const known = membership.incarnations.get(id) ?? progress.incarnation;
  if (known === 0 || known === incarnation) {
    noteIncarnation(progress, incarnation);
    return true;
  }
  ctx.deadlineMoved = true;
  if (isVoter(membership, id)) pauseFollower(ctx, role, progress);
  else role.progress.set(id, newProgress(ctx.state.log.last.index + 1, ctx.now));
  return false;
}
