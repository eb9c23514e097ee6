import type { NodeId } from "@seshat/common";
import { commitByQuorum } from "./commit.js";
import type { Context } from "./context.js";
import type { AppendEntriesFailedEvent, AppendEntriesResponseEvent } from "./event.js";
import type { Progress } from "./progress.js";
import { noteAnswer, noteConflict, noteFailure, noteSuccess, takeInFlight } from "./progress.js";
import { continueReadRounds, finishReadRounds, startReadRound } from "./read-rounds.js";
import { replicateTo, replicateToAll } from "./replication.js";
import type { LeaderRole } from "./state.js";
import { observeTerm } from "./vote-rule.js";

/** A follower answered: note how far it is, commit what a quorum has, send what it lacks. */
export function onAppendEntriesResponse(ctx: Context, event: AppendEntriesResponseEvent): void {
  const { state } = ctx;
  const { response } = event;
  observeTerm(ctx, response.term);
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined) return;
  const { role, progress } = peer;
  const request = takeInFlight(progress, event.seq);
  if (request === undefined) return;
  if (response.type === "refused") {
    // Whoever refuses the leader of its own term knows another one, which cannot be. It counts as no answer.
    pause(ctx, progress);
    return;
  }

  noteAnswer(progress, request);
  const committedBefore = state.committed.index;
  if (response.type === "success") {
    noteSuccess(progress, Math.min(response.matchIndex, request.upto));
    // Storage may have given fewer entries than the request was to carry: go on from where they ended.
    if (response.matchIndex < request.upto) noteConflict(progress, request.upto, response.matchIndex + 1);
    commitByQuorum(ctx);
  } else {
    const agreed = state.log.lastNoNewerThan(response.hint.index, response.hint.term);
    const isNews = noteConflict(progress, request.prevIndex, agreed.index + 1);
    // It denies what it has acknowledged: its disk lost data. Without a pause the two would go round in circles at full speed.
    if (!isNews) pause(ctx, progress);
  }
  startReadRound(ctx, role);
  finishReadRounds(ctx, role);
  if (state.committed.index > committedBefore) replicateToAll(ctx, role);
  else replicateTo(ctx, role, event.from, progress);
  continueReadRounds(ctx, role, event.from, progress);
}

/** A request got no answer: wait a little, then find out again where the follower is. */
export function onAppendEntriesFailed(ctx: Context, event: AppendEntriesFailedEvent): void {
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined || takeInFlight(peer.progress, event.seq) === undefined) return;
  pause(ctx, peer.progress);
}

function pause(ctx: Context, progress: Progress): void {
  noteFailure(progress, ctx.now, ctx.config.backoffMinMs, ctx.config.backoffMaxMs);
}

/** The follower an answer is from, if this node still leads the term in which it asked. */
function followerOf(
  ctx: Context,
  from: NodeId,
  requestTerm: number,
): { role: LeaderRole; progress: Progress } | undefined {
  const { role, vote } = ctx.state;
  if (role.type !== "leader" || requestTerm !== vote.term) return undefined;
  const progress = role.progress.get(from);
  return progress === undefined ? undefined : { role, progress };
}
