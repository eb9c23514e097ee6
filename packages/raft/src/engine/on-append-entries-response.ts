import type { NodeId } from "@seshat/common";
import { commitByQuorum } from "./commit.js";
import type { Context } from "./context.js";
import type { AppendEntriesFailedEvent, AppendEntriesResponseEvent } from "./event.js";
import type { Progress } from "./progress.js";
import { noteConflict, noteFailure, noteSuccess, takeInFlight } from "./progress.js";
import { finishReadRounds, startReadRound } from "./read-rounds.js";
import { replicateTo, replicateToAll } from "./replication.js";
import type { LeaderRole } from "./state.js";
import { observeTerm } from "./vote-rule.js";

/** A follower answered: note how far it is, commit what a quorum has, send what it lacks. */
export function onAppendEntriesResponse(ctx: Context, event: AppendEntriesResponseEvent): void {
  const { state } = ctx;
  const { response } = event;
  observeTerm(ctx, response.term);
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined || response.type === "refused") return;
  const { role, progress } = peer;
  const request = takeInFlight(progress, event.seq);
  if (request === undefined) return;

  const committedBefore = state.committed.index;
  if (response.type === "success") {
    noteSuccess(progress, Math.min(response.matchIndex, request.upto), request.round);
    commitByQuorum(ctx);
  } else {
    const agreed = state.log.lastNoNewerThan(response.hint.index, response.hint.term);
    noteConflict(progress, request.prevIndex, agreed.index + 1, request.round);
  }
  startReadRound(ctx, role);
  finishReadRounds(ctx, role);
  if (state.committed.index > committedBefore) replicateToAll(ctx, role);
  else replicateTo(ctx, role, event.from, progress);
}

/** A request got no answer: wait a little, then find out again where the follower is. */
export function onAppendEntriesFailed(ctx: Context, event: AppendEntriesFailedEvent): void {
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined || takeInFlight(peer.progress, event.seq) === undefined) return;
  noteFailure(peer.progress, ctx.now, ctx.config.backoffMinMs, ctx.config.backoffMaxMs);
}

/** The follower an answer is from, if this node still leads the term in which it asked. */
function followerOf(ctx: Context, from: NodeId, requestTerm: number): { role: LeaderRole; progress: Progress } | undefined {
  const { role, vote } = ctx.state;
  if (role.type !== "leader" || requestTerm !== vote.term) return undefined;
  const progress = role.progress.get(from);
  return progress === undefined ? undefined : { role, progress };
}
