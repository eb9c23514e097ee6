import type { NodeId, StorageVerb } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import { syncFollowers } from "./followers.js";
import { mayBeNeeded, membershipOf } from "./membership-state.js";
import type { EngineState, LeaderRole, PendingChange } from "./state.js";
import { settleTransfer } from "./transfer.js";

/** The only writer of the role, and of the timers that belong to it. */

/** The leader as far as this node knows. */
export function knownLeader(state: EngineState): NodeId | null {
  const { role } = state;
  switch (role.type) {
    case "leader":
      return state.id;
    case "learner":
    case "follower":
      return role.leaderId;
    default:
      return null;
  }
}

/** Puts the next election a random time away (Raft paper section 5.2), so that voters do not all stand at once. */
export function resetElectionTimer(ctx: Context): void {
  const { electionTimeoutMinMs: min, electionTimeoutMaxMs: max } = ctx.config;
  ctx.state.electionDeadline = ctx.now + min + ctx.random() * (max - min);
}

/**
 * Sets the first election of a life. A sole voter has nobody to wait for; but who abstains does not vote for itself
 * either, and counts from there.
 */
export function startElectionTimer(ctx: Context): void {
  const { state, config } = ctx;
  const abstains = ctx.now < state.abstainUntil;
  if (!abstains && voterIds(membershipOf(state)).every((id) => id === state.id)) return;
  resetElectionTimer(ctx);
  if (abstains) state.electionDeadline += state.abstainUntil - ctx.now - config.electionTimeoutMinMs;
}

/**
 * Becomes a follower, or a learner where this node does not vote, and is not needed. A leader that steps down settles what waits for it:
 * writes and a membership change that are not committed may still be, or may not; reads are certainly not served.
 */
export function becomeFollower(ctx: Context, leaderId: NodeId | null): void {
  const { state } = ctx;
  const previous = state.role;
  const type = mayBeNeeded(state) ? "follower" : "learner";
  if (previous.type === type && previous.leaderId === leaderId) return;
  state.role = { type, leaderId };
  if (leaderId !== null) state.quorumLost = false;
  if (previous.type !== "leader") return;
  ctx.out.push({ type: "abandonWrites", since: state.committed.index + 1 });
  for (const read of previous.reads) {
    ctx.out.push({ type: "refuseReads", requestId: read.requestId, refusal: refusal(state) });
  }
  if (previous.change !== null) settleChange(ctx, previous.change);
  resetElectionTimer(ctx);
}

function settleChange(ctx: Context, { event, logId }: PendingChange): void {
  const { requestId } = event;
  if (logId === null) ctx.out.push({ type: "reply", requestId, refusal: refusal(ctx.state), afterIo: 0 });
  else ctx.out.push({ type: "abandonChange", requestId });
}

/** Steps down because no quorum answers: what nobody else can confirm must not be served. */
export function loseQuorum(ctx: Context): void {
  ctx.state.quorumLost = true;
  becomeFollower(ctx, null);
}

/** Storage hangs, or works again. While it hangs this node can promise nothing, so it leads nobody and elects nobody. */
export function noteStall(ctx: Context, verb: StorageVerb | null): void {
  ctx.state.stalled = verb;
  if (verb === null) resetElectionTimer(ctx);
  else standDown(ctx);
}

/** Leads no longer, and does not stand for election. Who does neither goes on as it is. */
export function standDown(ctx: Context): void {
  const { type } = ctx.state.role;
  if (type !== "follower" && type !== "learner") becomeFollower(ctx, null);
}

/** True when this node may stand for election: it votes, or may still be needed; its storage works; and no snapshot is taking the place of its state. */
export function mayStand(state: EngineState): boolean {
  return mayBeNeeded(state) && state.stalled === null && state.snapshot.installing === null;
}

/** Why a node that does not lead refuses a request. Who knows the leader says so, whatever is wrong with itself. */
export function refusal(state: EngineState): Refusal {
  const leaderId = knownLeader(state);
  if (leaderId === null && state.stalled !== null) return { code: "storageStalled", verb: state.stalled };
  return state.quorumLost ? { code: "quorumNotEnough" } : { code: "notLeader", leaderId };
}

/** True when this node knows of a leader that was alive a moment ago: it helps nobody to unseat it (Raft thesis section 4.2.3). */
export function hasLiveLeader(ctx: Context): boolean {
  const { state, config } = ctx;
  return state.role.type === "leader" || ctx.now < state.leaderContact + config.electionTimeoutMinMs;
}

/** The leader of the current term was heard from: follow it, and put the next election off. */
export function followLeader(ctx: Context, leaderId: NodeId): void {
  const { role } = ctx.state;
  // Mostly it is who was followed all along, and as what goes with the membership. `reconcileRole`
  const isPassive = role.type === "follower" || role.type === "learner";
  if (!isPassive || role.leaderId !== leaderId) becomeFollower(ctx, leaderId);
  ctx.state.leaderContact = ctx.now;
  resetElectionTimer(ctx);
  settleTransfer(ctx, leaderId);
}

/** Asks for pre-votes; this node's own counts at once, because a pre-vote promises nothing. */
export function becomePreCandidate(ctx: Context): void {
  const { id, role } = ctx.state;
  const attempt = role.type === "preCandidate" ? role.attempt + 1 : 1;
  ctx.state.role = { type: "preCandidate", granted: new Set([id]), attempt };
  resetElectionTimer(ctx);
}

/** Stands for election; this node's own vote counts once the write `ownVoteIo` is durable. */
export function becomeCandidate(ctx: Context, ownVoteIo: number): void {
  ctx.state.role = { type: "candidate", granted: new Set(), ownVoteIo };
  resetElectionTimer(ctx);
}

/** Leads the current term from the blank entry `firstIndex` on. */
export function becomeLeader(ctx: Context): LeaderRole {
  const { state } = ctx;
  const firstIndex = state.log.last.index + 1;
  const role: LeaderRole = {
    type: "leader",
    firstIndex,
    since: ctx.now,
    progress: new Map(),
    reads: [],
    round: 0,
    askRestAt: Number.POSITIVE_INFINITY,
    restAt: Number.POSITIVE_INFINITY,
    change: null,
    leaseForfeited: false,
  };
  syncFollowers(ctx, role, membershipOf(state));
  state.role = role;
  state.quorumLost = false;
  settleTransfer(ctx, state.id);
  return role;
}

/** The membership in force changed: a follower may have become a learner, or a learner a voter. */
export function reconcileRole(ctx: Context): void {
  const { role } = ctx.state;
  if (role.type === "follower" || role.type === "learner") becomeFollower(ctx, role.leaderId);
}
