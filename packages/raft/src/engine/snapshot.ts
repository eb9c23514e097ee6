import type { LogId, SnapshotMeta } from "@seshat/common";
import type { Context } from "./context.js";
import { writePurge } from "./io.js";
import type { Progress } from "./progress.js";
import { replicateToAll } from "./replication.js";

/** When snapshots are built, and how much of the log is kept behind them. The only writer of the snapshot state. */

/**
 * A purge for the sake of followers goes in steps of at least so many entries: each is a write, and they catch up in
 * small steps.
 */
const PURGE_STEP = 1024;

/** Asks for a snapshot when the policy, or somebody waiting, calls for one. One is built at a time. */
export function considerSnapshot(ctx: Context): void {
  const { snapshot, applied, switches } = ctx.state;
  if (snapshot.building || snapshot.installing !== null) return;
  const entries = applied.index - snapshot.lastLogId.index;
  const due =
    (switches.snapshotAfterEntries !== null && entries >= switches.snapshotAfterEntries) ||
    (switches.snapshotAfterBytes !== null &&
      entries > 0 &&
      snapshot.bytesSince >= switches.snapshotAfterBytes);
  if (!due && snapshot.requests.length === 0) return;
  snapshot.building = true;
  snapshot.bytesSince = 0;
  ctx.out.push({ type: "buildSnapshot" });
}

/** Commands of `bytes` bytes were applied. */
export function noteAppliedBytes(ctx: Context, bytes: number): void {
  ctx.state.snapshot.bytesSince += bytes;
}

/** Somebody wants a snapshot of what is applied now; one that is being built may be of an older state. */
export function requestSnapshot(ctx: Context, requestId: number): void {
  const { snapshot, applied } = ctx.state;
  snapshot.requests.push({ requestId, index: applied.index });
  answerRequests(ctx);
  considerSnapshot(ctx);
}

/** A snapshot is kept: answer who waited for it, purge the log behind it, and see whether another is due. */
export function noteSnapshotBuilt(ctx: Context, lastLogId: LogId): void {
  const { snapshot, applied } = ctx.state;
  if (lastLogId.index > applied.index) {
    throw new Error(`built a snapshot at ${lastLogId.index}, beyond ${applied.index}`);
  }
  snapshot.building = false;
  // A newer one may have come from the leader since it was begun.
  if (lastLogId.index > snapshot.lastLogId.index) keepSnapshot(ctx, lastLogId);
  considerSnapshot(ctx);
}

/** A snapshot has come: nothing is applied, and none is built, until it is installed. */
export function beginInstall(ctx: Context, meta: SnapshotMeta<unknown>, requestId: number | null): void {
  const { snapshot } = ctx.state;
  snapshot.installing = meta;
  snapshot.installRequest = requestId;
  ctx.out.push({ type: "installSnapshot", meta, afterIo: ctx.state.io.issued });
}

/** The snapshot up to `lastLogId` was installed, or could not be read. @returns who asked for it by hand, or null. */
export function endInstall(ctx: Context, lastLogId: LogId): number | null {
  const { snapshot } = ctx.state;
  const { installing, installRequest } = snapshot;
  if (installing?.lastLogId.index !== lastLogId.index) {
    throw new Error(`installed a snapshot at ${lastLogId.index}, not at ${installing?.lastLogId.index}`);
  }
  snapshot.installing = null;
  snapshot.installRequest = null;
  return installRequest;
}

/** The newest snapshot now ends at `lastLogId`. */
export function keepSnapshot(ctx: Context, lastLogId: LogId): void {
  ctx.state.snapshot.lastLogId = lastLogId;
  answerRequests(ctx);
  purgeBehindSnapshot(ctx);
}

/** Purges what the snapshot stands for, except the entries that are kept for followers who are a little late. */
export function purgeBehindSnapshot(ctx: Context): void {
  const { snapshot } = ctx.state;
  snapshot.purgeUpto = Math.max(snapshot.purgeUpto, snapshot.lastLogId.index - ctx.config.logsToKeep);
  purgeForgotten(ctx);
}

/** Purges what the snapshot stands for and no follower that answers still needs, or that is too much to be kept for it. */
export function purgeForgotten(ctx: Context): void {
  const { log, snapshot } = ctx.state;
  if (snapshot.purgeUpto <= log.purged.index) return;
  const kept = Math.min(snapshot.purgeUpto, neededFrom(ctx) - 1);
  const upto = Math.max(kept, snapshot.purgeUpto - ctx.config.logsToKeepForFollowers);
  if (upto === snapshot.purgeUpto || upto - log.purged.index >= PURGE_STEP) purgeLog(ctx, upto);
}

/** Purges the log up to index `upto`, but never past what the snapshot holds. */
export function purgeLog(ctx: Context, upto: number): void {
  const { log, snapshot, role } = ctx.state;
  const index = Math.min(upto, snapshot.lastLogId.index);
  if (index <= log.purged.index) return;
  // Who waits for some of it would need the snapshot.
  if (role.type === "leader") replicateToAll(ctx, role);
  const logId = log.at(index);
  log.purge(logId);
  writePurge(ctx, logId);
}

/** The first entry that a follower which answers, or is being sent a snapshot, will ask for; infinity when there is none. */
function neededFrom(ctx: Context): number {
  const { role } = ctx.state;
  if (role.type !== "leader") return Number.POSITIVE_INFINITY;
  let first = Number.POSITIVE_INFINITY;
  for (const progress of role.progress.values()) {
    if (progress.mode === "snapshot") first = Math.min(first, progress.snapshotIndex + 1);
    else if (answers(ctx, progress)) first = Math.min(first, progress.matchIndex + 1);
  }
  return first;
}

function answers(ctx: Context, progress: Progress): boolean {
  return ctx.now < Math.max(progress.ackedSentAt, progress.countedSince) + ctx.config.electionTimeoutMaxMs;
}

function answerRequests(ctx: Context): void {
  const { snapshot } = ctx.state;
  snapshot.requests = snapshot.requests.filter(({ requestId, index }) => {
    if (index > snapshot.lastLogId.index) return true;
    ctx.out.push({ type: "snapshotReady", requestId });
    return false;
  });
}
