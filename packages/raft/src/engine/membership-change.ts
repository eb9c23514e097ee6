import type { LogId, Membership, NodeId } from "@seshat/common";
import { createMembership, isJoint, leaveJoint, voterIds } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import type { ChangeMembershipEvent } from "./event.js";
import { syncFollowers } from "./followers.js";
import { appendPayloads } from "./log-writer.js";
import { effectiveMembership, isVotingHere, membershipOf } from "./membership-state.js";
import type { Target } from "./membership-plan.js";
import { firstStep, keepsVoters, newVoters, planChange } from "./membership-plan.js";
import { majority } from "./quorum.js";
import { replicateToAll } from "./replication.js";
import { becomeFollower } from "./role.js";
import type { LeaderRole } from "./state.js";
import { bestSuccessor } from "./transfer.js";
import { unmetExpectation } from "./write-expectation.js";

/**
 * How a leader changes the membership (Raft paper section 6, thesis chapter 4): one change at a time, none before an
 * entry of the leader's own term is committed, and through a joint membership whenever the voters change. A joint
 * membership is left by whoever leads once it is committed, also by a leader that found it in its log.
 */

/** Begins the change that the event asks for, or refuses it. The leader has committed an entry of its own term, and no change is under way. */
export function beginChange(ctx: Context, role: LeaderRole, event: ChangeMembershipEvent): void {
  const { transfer } = ctx.state;
  const current = membershipOf(ctx.state);
  const planned =
    // It may have begun while this change waited.
    (transfer === null ? null : ({ code: "transferInProgress", target: transfer.target } as const)) ??
    (event.expect === undefined ? null : unmetExpectation(ctx.state, event.expect)) ??
    planChange(current, event.change, event.retain);
  const refusal =
    "code" in planned ? planned : event.allowLagging ? null : lagging(ctx, role, current, planned);
  if (refusal !== null || "code" in planned) {
    role.change = null;
    ctx.out.push({ type: "reply", requestId: event.requestId, refusal, afterIo: 0 });
    return;
  }
  const incarnations = new Map([...current.incarnations, ...knownIncarnations(ctx, role, planned.voters)]);
  role.change = { event, logId: appendMembership(ctx, role, firstStep(current, planned, incarnations)) };
}

/**
 * Takes the membership as far as what is committed allows: leaves a joint one, tells who waits that its change is done, steps down
 * where this node is not in it any more, begins the change that waited for this leader's first commit, and notes which
 * stores the voters vote from.
 */
export function advanceMembership(ctx: Context, role: LeaderRole): void {
  const { state } = ctx;
  const { logId, membership } = effectiveMembership(state);
  syncFollowers(ctx, role, membership);
  if (state.committed.index < role.firstIndex || state.committed.index < logId.index) return;
  if (isJoint(membership)) {
    const left = appendMembership(ctx, role, leaveJoint(membership));
    // One that waits to begin has nothing to do with a joint membership that an earlier leader left behind.
    if (role.change !== null && role.change.logId !== null) role.change.logId = left;
    return;
  }
  finishChange(ctx, role, logId, membership);
  if (!isVotingHere(state, membership)) return handOver(ctx, role);
  if (role.change !== null) return beginChange(ctx, role, role.change.event);
  bindStores(ctx, role);
}

function finishChange(ctx: Context, role: LeaderRole, logId: LogId, membership: Membership<unknown>): void {
  if (role.change === null || role.change.logId === null) return;
  ctx.out.push({ type: "membershipChanged", requestId: role.change.event.requestId, logId, membership });
  role.change = null;
}

/**
 * This leader is no voter any more: it asks the best of them to take over at once, and leads no longer (Raft thesis section 4.2.2).
 * What it has beyond the commit index nobody else needs to have: it is given up here.
 */
function handOver(ctx: Context, role: LeaderRole): void {
  const { state } = ctx;
  const successor = bestSuccessor(ctx, role);
  if (successor !== null) {
    const request = { term: state.vote.term, leaderId: state.id, lastLogId: state.committed };
    ctx.out.push({ type: "sendTimeoutNow", to: successor, request });
  }
  becomeFollower(ctx, null);
}

function appendMembership(ctx: Context, role: LeaderRole, membership: Membership<unknown>): LogId {
  const { state } = ctx;
  appendPayloads(ctx, state.vote.term, [{ type: "membership", membership }]);
  replicateToAll(ctx, role);
  return state.log.last;
}

/**
 * Who must not be counted on. A node that does not answer, or lacks too much of the log, would as a new voter only weaken the quorum (Raft
 * thesis section 4.2.1). Of those that vote already enough have to be left to decide: a joint membership that they cannot commit
 * would stop a cluster that works, and nobody could take it back.
 */
function lagging(
  ctx: Context,
  role: LeaderRole,
  current: Membership<unknown>,
  target: Target,
): Refusal | null {
  if (keepsVoters(current, target)) return null;
  const isBehind = (id: NodeId): boolean => id !== ctx.state.id && !keepsUp(ctx, role, id);
  const behind = [...target.voters].filter(isBehind);
  const decide = target.voters.size - behind.length >= majority(target.voters.size);
  const nodeId = newVoters(current, target).find(isBehind) ?? (decide ? undefined : behind[0]);
  if (nodeId === undefined) return null;
  const matchIndex = role.progress.get(nodeId)?.matchIndex ?? 0;
  return { code: "learnerLagging", nodeId, matchIndex, lastIndex: ctx.state.log.last.index };
}

function keepsUp(ctx: Context, role: LeaderRole, id: NodeId): boolean {
  const progress = role.progress.get(id);
  if (progress === undefined || progress.matchIndex === 0) return false;
  const answers = ctx.now < progress.ackedSentAt + ctx.config.electionTimeoutMaxMs;
  return answers && ctx.state.log.last.index - progress.matchIndex <= ctx.config.lagThreshold;
}

/**
 * Notes in the membership which store each voter votes from, where it is not noted yet: for a founder when it first answers. Waits a
 * little for all of them, because each note is an entry.
 */
export function bindStores(ctx: Context, role: LeaderRole): void {
  const { state, config } = ctx;
  const { logId, membership } = effectiveMembership(state);
  const voters = voterIds(membership);
  if (state.incarnation === 0 || membership.incarnations.size === voters.length) return;
  // While a change is under way, or waits, something is not committed.
  if (state.transfer !== null || state.committed.index < Math.max(logId.index, role.firstIndex)) return;
  const known = new Map([...membership.incarnations, ...knownIncarnations(ctx, role, voters)]);
  if (known.size === membership.incarnations.size) return;
  if (known.size < voters.length && ctx.now < role.since + config.electionTimeoutMaxMs) return;
  appendMembership(
    ctx,
    role,
    createMembership(membership.configs, membership.nodes, { incarnations: known }),
  );
}

/** The stores of those of `ids` that answered this leader, its own among them. What the membership says already stands. */
function knownIncarnations(
  ctx: Context,
  role: LeaderRole,
  ids: Iterable<NodeId>,
): ReadonlyMap<NodeId, number> {
  const { state } = ctx;
  const recorded = membershipOf(state).incarnations;
  const known = new Map<NodeId, number>();
  for (const id of ids) {
    const seen = id === state.id ? state.incarnation : (role.progress.get(id)?.incarnation ?? 0);
    const incarnation = recorded.get(id) ?? seen;
    if (incarnation !== 0) known.set(id, incarnation);
  }
  return known;
}
