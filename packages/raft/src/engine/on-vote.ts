import type { Context } from "./context.js";
import { countVotes } from "./election.js";
import type { VoteRequestEvent, VoteResponseEvent } from "./event.js";
import { grantVote, mayElect, observeTerm } from "./vote-rule.js";

/**
 * Votes, or refuses to (Raft paper figure 2, RequestVote). While this node has a leader, or may have promised one a lease, a
 * candidate does not even raise its term: a removed or cut off node cannot unseat a leader that serves (Raft thesis section
 * 4.2.3). The answer waits until the vote, or the term, is durable.
 */
export function onVoteRequest(ctx: Context, event: VoteRequestEvent): void {
  const { state } = ctx;
  let granted = false;
  // Who was asked to take over has the leader's leave: it has no lease any more, and is to be unseated.
  if (mayElect(ctx) || (event.request.transfer && state.stalled === null)) {
    observeTerm(ctx, event.request.term);
    granted = grantVote(ctx, event.request);
  }
  ctx.out.push({
    type: "answerVote",
    rpcId: event.rpcId,
    response: { term: state.vote.term, granted },
    afterIo: state.io.issued,
  });
}

/** Counts a vote for the current term. */
export function onVoteResponse(ctx: Context, event: VoteResponseEvent): void {
  const { state } = ctx;
  observeTerm(ctx, event.response.term);
  if (state.role.type !== "candidate" || event.requestTerm !== state.vote.term || !event.response.granted)
    return;
  state.role.granted.add(event.from);
  countVotes(ctx);
}
