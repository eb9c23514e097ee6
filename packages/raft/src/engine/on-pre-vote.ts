import type { Context } from "./context.js";
import { countPreVotes } from "./election.js";
import type { PreVoteRequestEvent, PreVoteResponseEvent } from "./event.js";
import { isUpToDate, observeTerm } from "./vote-rule.js";

/**
 * Says whether this node would vote for the sender: a later term, a log that is as up to date, and no leader
 * that this node has heard from within the least election timeout (Raft thesis section 9.6). Nothing is written.
 */
export function onPreVoteRequest(ctx: Context, event: PreVoteRequestEvent): void {
  const { state, config } = ctx;
  const { request, rpcId } = event;
  const hasLeader =
    state.role.type === "leader" || ctx.now < state.leaderContact + config.electionTimeoutMinMs;
  const granted = !hasLeader && request.term > state.vote.term && isUpToDate(ctx, request.lastLogId);
  ctx.out.push({
    type: "answerPreVote",
    rpcId,
    response: { term: state.vote.term, granted },
    afterIo: state.io.issued,
  });
}

/** Counts a pre-vote, or learns from a refusal that this node's term is over. */
export function onPreVoteResponse(ctx: Context, event: PreVoteResponseEvent): void {
  const { state } = ctx;
  observeTerm(ctx, event.response.term);
  if (
    state.role.type !== "preCandidate" ||
    event.requestTerm !== state.vote.term + 1 ||
    !event.response.granted
  )
    return;
  state.role.granted.add(event.from);
  countPreVotes(ctx);
}
