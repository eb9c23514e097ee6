import type { PreVoteRequest } from "@seshat/common";
import { equalLogIds } from "@seshat/common";
import type { Context } from "./context.js";
import { countPreVotes } from "./election.js";
import type { PreVoteRequestEvent, PreVoteResponseEvent } from "./event.js";
import type { EngineState } from "./state.js";
import { isUpToDate, mayElect, observeTerm } from "./vote-rule.js";

/**
 * Says whether this node would vote for the sender: a later term, a log that is as up to date, and no leader
 * that this node has heard from within the least election timeout (Raft thesis section 9.6). Nothing is written.
 */
export function onPreVoteRequest(ctx: Context, event: PreVoteRequestEvent): void {
  const { state } = ctx;
  const { request, rpcId } = event;
  const granted =
    mayElect(ctx) &&
    request.term > state.vote.term &&
    isUpToDate(ctx, request.lastLogId) &&
    !standsBefore(state, request);
  ctx.out.push({
    type: "answerPreVote",
    rpcId,
    response: { term: state.vote.term, granted },
    afterIo: state.io.issued,
  });
}

/**
 * True when this node asks for pre-votes itself and comes first: its log is as new, and its id lower. Of two nodes whose
 * timeouts end together one then yields, where otherwise both would stand and split the vote. Only while it asks for the
 * first time: a node that failed to be elected, because it reaches too few, must not keep those from it that reach more.
 */
function standsBefore(state: EngineState, request: PreVoteRequest): boolean {
  return (
    state.role.type === "preCandidate" &&
    state.role.attempt === 1 &&
    equalLogIds(state.log.last, request.lastLogId) &&
    state.id < request.candidateId
  );
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
