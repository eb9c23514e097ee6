import type { NodeId } from "@seshat/common";
import { BLANK_PAYLOAD, isVoter, voterIds } from "@seshat/common";
import { commitByQuorum } from "./commit.js";
import type { Context } from "./context.js";
import { hasJointQuorum } from "./joint-config.js";
import { appendPayloads } from "./log-writer.js";
import { membershipOf } from "./membership-state.js";
import { replicateToAll } from "./replication.js";
import { becomeCandidate, becomeLeader, becomePreCandidate } from "./role.js";
import { commitOwnVote, voteForSelf } from "./vote-rule.js";

/** Elections: pre-vote, then vote, then the blank entry (Raft paper section 5.2, thesis section 9.6). */

/** Stands for election, asking first whether it would be won. Does nothing where this node is no voter. */
export function startElection(ctx: Context): void {
  const { state, config } = ctx;
  if (!isVoter(membershipOf(state), state.id)) return;
  if (!config.preVote) {
    campaign(ctx);
    return;
  }
  becomePreCandidate(ctx);
  const request = { term: state.vote.term + 1, candidateId: state.id, lastLogId: state.log.last };
  for (const to of otherVoters(ctx)) ctx.out.push({ type: "sendPreVote", to, request });
  countPreVotes(ctx);
}

/** Stands for election at once. */
export function campaign(ctx: Context): void {
  const { state } = ctx;
  const ownVoteIo = voteForSelf(ctx);
  becomeCandidate(ctx, ownVoteIo);
  const request = { term: state.vote.term, candidateId: state.id, lastLogId: state.log.last };
  for (const to of otherVoters(ctx)) ctx.out.push({ type: "sendVote", to, request, afterIo: ownVoteIo });
}

/** Goes on to the real election once a quorum would vote for this node. */
export function countPreVotes(ctx: Context): void {
  const { role } = ctx.state;
  if (role.type === "preCandidate" && hasJointQuorum(membershipOf(ctx.state).configs, role.granted))
    campaign(ctx);
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
  commitByQuorum(ctx);
}

function otherVoters(ctx: Context): readonly NodeId[] {
  return voterIds(membershipOf(ctx.state)).filter((id) => id !== ctx.state.id);
}
