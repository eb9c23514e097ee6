import type { NodeId } from "@seshat/common";
import { BLANK_PAYLOAD, voterIds } from "@seshat/common";
import type { Context } from "./context.js";
import { hasJointQuorum } from "./joint-config.js";
import { appendPayloads } from "./log-writer.js";
import { membershipOf } from "./membership-state.js";
import { replicateToAll } from "./replication.js";
import { becomeCandidate, becomeLeader, becomePreCandidate, mayStand } from "./role.js";
import { commitOwnVote, voteForSelf } from "./vote-rule.js";

/** Elections: pre-vote, then vote, then the blank entry (Raft paper section 5.2, thesis section 9.6). */

/** Stands for election, asking first whether it would be won. Does nothing where this node may not stand. */
export function startElection(ctx: Context): void {
  const { state } = ctx;
  if (!mayStand(state)) return;
  if (!state.switches.preVote) {
    campaign(ctx, false);
    return;
  }
  becomePreCandidate(ctx);
  const request = { term: state.vote.term + 1, candidateId: state.id, lastLogId: state.log.last };
  for (const to of otherVoters(ctx)) ctx.out.push({ type: "sendPreVote", to, request });
  countPreVotes(ctx);
}

/**
 * Stands for election at once.
 *
 * @param transfer true when the leader handed over to this node: then voters that hear from that leader may vote all the same.
 */
export function campaign(ctx: Context, transfer: boolean): void {
  const { state } = ctx;
  const ownVoteIo = voteForSelf(ctx);
  becomeCandidate(ctx, ownVoteIo);
  const request = { term: state.vote.term, candidateId: state.id, lastLogId: state.log.last, transfer };
  for (const to of otherVoters(ctx)) ctx.out.push({ type: "sendVote", to, request, afterIo: ownVoteIo });
}

/** Goes on to the real election once a quorum would vote for this node. */
export function countPreVotes(ctx: Context): void {
  const { role } = ctx.state;
  if (role.type === "preCandidate" && hasJointQuorum(membershipOf(ctx.state).configs, role.granted))
    campaign(ctx, false);
}

/** Becomes leader once a quorum has voted for this node. */
export function countVotes(ctx: Context): void {
  const { state } = ctx;
  if (state.role.type !== "candidate" || !hasJointQuorum(membershipOf(state).configs, state.role.granted))
    return;
  commitOwnVote(ctx);
  const leader = becomeLeader(ctx);
  appendPayloads(ctx, state.vote.term, [BLANK_PAYLOAD]);
  replicateToAll(ctx, leader);
}

function otherVoters(ctx: Context): readonly NodeId[] {
  return voterIds(membershipOf(ctx.state)).filter((id) => id !== ctx.state.id);
}
