import { advance } from "./advance.js";
import type { Context } from "./context.js";
import type { InstallSnapshotFailedEvent, InstallSnapshotResponseEvent } from "./event.js";
import { followerOf, isKnownStore, pauseFollower } from "./followers.js";
import { noteSnapshotFailed, noteSnapshotInstalled } from "./progress.js";
import { replicateToAll } from "./replication.js";
import { observeTerm } from "./vote-rule.js";

/** A follower holds all that the snapshot does, so it goes on with the entries after it; or it does not follow. */
export function onInstallSnapshotResponse(ctx: Context, event: InstallSnapshotResponseEvent): void {
  const { response, from } = event;
  observeTerm(ctx, response.term);
  const peer = followerOf(ctx, from, event.requestTerm);
  if (peer === undefined || peer.progress.snapshotSeq !== event.seq) return;
  const { role, progress } = peer;
  if (response.type === "installed" && !isKnownStore(ctx, from, peer, event.incarnation)) {
    noteSnapshotFailed(progress);
    return;
  }
  if (response.type === "refused") {
    noteSnapshotFailed(progress);
    pauseFollower(ctx, role, progress);
    return;
  }
  noteSnapshotInstalled(progress, event.lastLogId.index);
  if (!advance(ctx, role)) return;
  replicateToAll(ctx, role);
}

/** The snapshot did not get through: the next attempt goes on where this one ended, if the follower still has that much. */
export function onInstallSnapshotFailed(ctx: Context, event: InstallSnapshotFailedEvent): void {
  const peer = followerOf(ctx, event.from, event.requestTerm);
  if (peer === undefined || peer.progress.snapshotSeq !== event.seq) return;
  noteSnapshotFailed(peer.progress);
  pauseFollower(ctx, peer.role, peer.progress);
}
