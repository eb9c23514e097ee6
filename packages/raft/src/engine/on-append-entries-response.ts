import { advance } from "./advance.js";
import type { Context } from "./context.js";
import type { AppendEntriesFailedEvent, AppendEntriesResponseEvent } from "./event.js";
import { followerOf, isKnownStore, pauseFollower } from "./followers.js";
import { bindStores } from "./membership-change.js";
import { noteAnswer, noteConflict, noteSuccess, takeInFlight } from "./progress.js";
import { continueReadRounds } from "./read-rounds.js";
import { replicateNext, replicateToAll } from "./replication.js";
import { observeTerm } from "./vote-rule.js";

/** A follower answered: note how far it is, commit what a quorum has, send what it lacks. */
export function onAppendEntriesResponse(ctx: Context, event: AppendEntriesResponseEvent): void {
  const { state } = ctx;
  const { response, from } = event;
  observeTerm(ctx, response.term);
  const peer = followerOf(ctx, from, event.requestTerm);
  if (peer === undefined) return;
  const { role, progress } = peer;
  const request = takeInFlight(progress, event.seq);
  if (request === undefined || !isKnownStore(ctx, from, peer, event.incarnation)) return;
  if (response.type === "refused") {
    // Whoever refuses the leader of its own term knows another one, which cannot be. It counts as no answer.
    pauseFollower(ctx, role, progress);
    return;
  }

  // It is not waited any longer for.
  if (progress.failures > 0) ctx.deadlineMoved = true;
  noteAnswer(progress, request, ctx.now);
  const keptUp = progress.mode === "pipeline";
  if (response.type === "success") {
    noteSuccess(progress, Math.min(response.matchIndex, request.upto));
    // Storage may have given fewer entries than the request was to carry: go on from where they ended.
    if (response.matchIndex < request.upto) noteConflict(progress, request.upto, response.matchIndex + 1);
  } else {
    const agreed = state.log.lastNoNewerThan(response.hint.index, response.hint.term);
    const isNews = noteConflict(progress, request.prevIndex, agreed.index + 1);
    // It denies what it has acknowledged: its disk lost data. Without a pause the two would go round in circles at full speed.
    if (!isNews) pauseFollower(ctx, role, progress);
  }
  if (!advance(ctx, role)) return;
  // Who comes to keep up may be needed in the place of another.
  if (!keptUp && progress.mode === "pipeline") replicateToAll(ctx, role);
  else replicateNext(ctx, role, from, progress);
  continueReadRounds(ctx, role);
  bindStores(ctx, role);
}

/** A request got no answer: wait a little, then find out again where the follower is. */
export function onAppendEntriesFailed(ctx: Context, event: AppendEntriesFailedEvent): void {
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined || takeInFlight(peer.progress, event.seq) === undefined) return;
  pauseFollower(ctx, peer.role, peer.progress);
}
