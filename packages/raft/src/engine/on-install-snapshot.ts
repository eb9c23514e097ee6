import { compareLogIds } from "@seshat/common";
import { commitSnapshot, dispatchApply } from "./commit.js";
import type { Context } from "./context.js";
import type { InstallSnapshotRequestEvent, SnapshotInstalledEvent, SnapshotReceivedEvent } from "./event.js";
import { noteDurableSnapshot } from "./io.js";
import { replaceLog } from "./log-writer.js";
import { adoptSnapshotMembership } from "./membership-state.js";
import { reconcileRole, standDown } from "./role.js";
import { beginInstall, considerSnapshot, endInstall, keepSnapshot } from "./snapshot.js";
import { acceptLeader, observeTerm } from "./vote-rule.js";

/**
 * A leader sends a part of a snapshot (Raft paper figure 13). What this node has committed it needs no snapshot for: then it says so,
 * and the leader goes on from there.
 */
export function onInstallSnapshotRequest(ctx: Context, event: InstallSnapshotRequestEvent): void {
  const { state } = ctx;
  const { rpcId, meta } = event;
  const accepted = acceptLeader(ctx, event.term, event.leaderId);
  const { term } = state.vote;
  const afterIo = state.io.issued;
  if (accepted && meta.lastLogId.index > state.committed.index) {
    ctx.out.push({ type: "receiveSnapshot", rpcId, term, afterIo });
    return;
  }
  const type = accepted ? "installed" : "refused";
  ctx.out.push({ type: "answerInstallSnapshot", rpcId, response: { type, term }, afterIo });
}

/** The whole content is there: install it, unless this node has committed as much meanwhile, or the snapshot contradicts what it has. */
export function onSnapshotReceived(ctx: Context, event: SnapshotReceivedEvent): void {
  const { state } = ctx;
  const { meta, requestId } = event;
  const { committed, snapshot } = state;
  const isNewer = meta.lastLogId.index > committed.index && compareLogIds(meta.lastLogId, committed) > 0;
  if (isNewer && snapshot.installing === null) {
    // A log never holds a later term than the vote; one that comes by hand may bring it.
    observeTerm(ctx, meta.lastLogId.term);
    // Its log may be replaced: who leads by it, or stands, does so no longer.
    standDown(ctx);
    return beginInstall(ctx, meta, requestId);
  }
  ctx.out.push({ type: "dropSnapshot" });
  if (requestId === null) return;
  const refusal = { code: "snapshotOutdated", snapshot: meta.lastLogId, committed } as const;
  ctx.out.push({ type: "reply", requestId, refusal, afterIo: 0 });
}

/**
 * The state machine holds the snapshot. A log that does not have its last entry is replaced by it, all of it: it is shorter, or of
 * another leader. One that has it goes on after it.
 */
export function onSnapshotInstalled(ctx: Context, event: SnapshotInstalledEvent): void {
  const { state } = ctx;
  const { lastLogId, lastMembership, installed } = event;
  const requestId = endInstall(ctx, lastLogId);
  if (installed) {
    if (!state.log.has(lastLogId)) replaceLog(ctx, lastLogId);
    // What this node committed as leader, and had not made durable, is in the snapshot: it is not applied here, so nobody has its answer.
    if (state.dispatchedIndex < state.committed.index)
      ctx.out.push({ type: "abandonWrites", since: state.dispatchedIndex + 1 });
    noteDurableSnapshot(ctx, lastLogId.index);
    commitSnapshot(ctx, lastLogId);
    adoptSnapshotMembership(state, lastMembership, lastLogId.index);
    reconcileRole(ctx);
    keepSnapshot(ctx, lastLogId);
    state.snapshot.bytesSince = 0;
    if (requestId !== null) {
      ctx.out.push({ type: "reply", requestId, refusal: null, afterIo: state.io.issued });
    }
  }
  dispatchApply(ctx);
  considerSnapshot(ctx);
}
