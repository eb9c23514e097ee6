import type { LogId } from "@seshat/common";
import type { Context } from "./context.js";
import { writePurge } from "./io.js";

/** When snapshots are built, and how much of the log is kept behind them. The only writer of the snapshot state. */

/** Asks for a snapshot when the policy, or somebody waiting, calls for one. One is built at a time. */
export function considerSnapshot(ctx: Context): void {
  const { snapshot, applied } = ctx.state;
  const { snapshotAfterEntries } = ctx.config;
  if (snapshot.building) return;
  const due =
    snapshotAfterEntries !== null && applied.index - snapshot.lastLogId.index >= snapshotAfterEntries;
  if (!due && snapshot.requests.length === 0) return;
  snapshot.building = true;
  ctx.out.push({ type: "buildSnapshot" });
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
  if (lastLogId.index < snapshot.lastLogId.index || lastLogId.index > applied.index) {
    throw new Error(
      `built a snapshot at ${lastLogId.index}, not between ${snapshot.lastLogId.index} and ${applied.index}`,
    );
  }
  snapshot.building = false;
  snapshot.lastLogId = lastLogId;
  answerRequests(ctx);
  purgeBehindSnapshot(ctx);
  considerSnapshot(ctx);
}

/** Purges what the snapshot stands for, except the entries that are kept for followers who are a little late. */
export function purgeBehindSnapshot(ctx: Context): void {
  purgeLog(ctx, ctx.state.snapshot.lastLogId.index - ctx.config.logsToKeep);
}

/** Purges the log up to index `upto`, but never past what the snapshot holds. */
export function purgeLog(ctx: Context, upto: number): void {
  const { log, snapshot } = ctx.state;
  const index = Math.min(upto, snapshot.lastLogId.index);
  if (index <= log.purged.index) return;
  const logId = log.at(index);
  log.purge(logId);
  writePurge(ctx, logId);
}

function answerRequests(ctx: Context): void {
  const { snapshot } = ctx.state;
  snapshot.requests = snapshot.requests.filter(({ requestId, index }) => {
    if (index > snapshot.lastLogId.index) return true;
    ctx.out.push({ type: "snapshotReady", requestId });
    return false;
  });
}
