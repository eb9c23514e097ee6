import type { NodeId, VoteRequest } from "@seshat/common";
import { InvalidValueError, compareLogIds } from "@seshat/common";
import type { Context } from "./context.js";
import { writeVote } from "./io.js";
import { becomeFollower, followLeader, hasLiveLeader, knownLeader, resetElectionTimer } from "./role.js";

/**
 * The only writer of the vote, and the one place for the rule about terms: whoever sees a later term takes it over
 * and follows (Raft paper section 5.1).
 */

/** The last term. Long before it numbers would no longer tell one term from the next, and two leaders could have the same. */
export const MAX_TERM: number = 2 ** 52;

/** @throws {InvalidValueError} when no term is left. */
export function nextTerm(term: number): number {
  if (term < MAX_TERM) return term + 1;
  throw new InvalidValueError("term", term, `less than ${MAX_TERM}, for another one to follow`);
}

/** Takes over a later term, in which this node has not voted. An earlier or equal one changes nothing. */
export function observeTerm(ctx: Context, term: number): void {
  const { state } = ctx;
  if (term <= state.vote.term) return;
  state.vote = { term, votedFor: null, committed: false };
  writeVote(ctx, state.vote);
  becomeFollower(ctx, null);
}

/** Moves to the next term with a vote for this node. @returns the write that makes it durable. */
export function voteForSelf(ctx: Context): number {
  const { state } = ctx;
  state.vote = { term: nextTerm(state.vote.term), votedFor: state.id, committed: false };
  return writeVote(ctx, state.vote);
}

/** Notes that this node has won the election of its term. */
export function commitOwnVote(ctx: Context): void {
  const { state } = ctx;
  state.vote = { ...state.vote, committed: true };
  writeVote(ctx, state.vote);
}

/** True when this node is free to help elect somebody: it has no live leader, promised none before a restart, and its storage works. */
export function mayElect(ctx: Context): boolean {
  return ctx.state.stalled === null && !hasLiveLeader(ctx) && ctx.now >= ctx.state.abstainUntil;
}

/** True when the log that ends at `lastLogId` holds everything that this node knows to be needed (Raft paper section 5.4.1). */
export function isUpToDate(ctx: Context, lastLogId: VoteRequest["lastLogId"]): boolean {
  return compareLogIds(lastLogId, ctx.state.log.last) >= 0;
}

/**
 * Grants the vote of the current term, if it is still to be had: one vote a term, first come first served.
 * The request's term has been observed. A node votes whatever its own log says about who is a voter, because its log may be
 * the older one (Raft thesis section 4.2.2).
 */
export function grantVote(ctx: Context, request: VoteRequest): boolean {
  const { state } = ctx;
  if (request.term !== state.vote.term) return false;
  if (state.vote.votedFor !== null && state.vote.votedFor !== request.candidateId) return false;
  if (!isUpToDate(ctx, request.lastLogId)) return false;
  if (state.vote.votedFor === null) {
    state.vote = { term: request.term, votedFor: request.candidateId, committed: false };
    writeVote(ctx, state.vote);
  }
  resetElectionTimer(ctx);
  return true;
}

/**
 * Accepts the sender of an AppendEntries as the leader of its term, or not: its term is over, or this node
 * knows another leader of it.
 */
export function acceptLeader(ctx: Context, term: number, leaderId: NodeId): boolean {
  const { state } = ctx;
  if (term < state.vote.term) return false;
  if (term > state.vote.term) {
    // Term and leader are learned together: one write, and who waited here is told where to go.
    state.vote = { term, votedFor: leaderId, committed: true };
    writeVote(ctx, state.vote);
    followLeader(ctx, leaderId);
    return true;
  }
  // After a restart the role has forgotten the leader, but a committed vote has not.
  const known = knownLeader(state) ?? (state.vote.committed ? state.vote.votedFor : null);
  if (known !== null && known !== leaderId) return false;
  const { votedFor, committed } = state.vote;
  if (!committed && (votedFor === null || votedFor === leaderId)) {
    state.vote = { term, votedFor: leaderId, committed: true };
    writeVote(ctx, state.vote);
  }
  followLeader(ctx, leaderId);
  return true;
}
