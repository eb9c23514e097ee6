import type { NodeId } from "@seshat/common";
import { isVoter } from "@seshat/common";
import type { Context } from "./context.js";
import { membershipOf } from "./membership-state.js";
import type { Progress } from "./progress.js";
import { isConfirming, noteSent, noteSnapshotSent } from "./progress.js";
import type { LeaderRole } from "./state.js";
import { chooseSpares, mayWait, noteWaiting } from "./thrifty.js";

/** What each follower gets next. */

/** Sends every follower what it lacks, as far as its window allows. Nobody waits then, so it is chosen anew who may wait next. */
export function replicateToAll(ctx: Context, role: LeaderRole): void {
  for (const [id, progress] of role.progress) replicateTo(ctx, role, id, progress);
  role.restAt = Number.POSITIVE_INFINITY;
  chooseSpares(ctx, role);
}

/** Sends the followers that make a quorum what they lack; the others get it when they have waited for more. */
export function replicate(ctx: Context, role: LeaderRole): void {
  if (ctx.now >= role.restAt) replicateToAll(ctx, role);
  else for (const [id, progress] of role.progress) replicateNext(ctx, role, id, progress);
}

/** Sends one follower what it lacks, or lets it wait where it may. */
export function replicateNext(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  if (mayWait(ctx, progress)) noteWaiting(ctx, role);
  else replicateTo(ctx, role, id, progress);
}

/** Sends those that have waited what they lack. */
export function replicateRest(ctx: Context, role: LeaderRole): void {
  if (ctx.now >= role.restAt) replicateToAll(ctx, role);
}

/** Sends one follower what it lacks, as far as its window allows. News of the commit index travels with it. */
function replicateTo(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  const { state, config } = ctx;
  if (ctx.now < progress.retryAt || progress.mode === "snapshot") return;
  if (isBehindPurge(ctx, progress)) return sendSnapshot(ctx, id, progress);
  const window = progress.mode === "probe" ? 1 : config.maxInFlightAppends;
  while (progress.inFlightData < window && progress.nextIndex <= state.log.last.index) {
    send(ctx, role, id, progress);
    if (progress.mode === "probe") return;
  }
}

/**
 * True when a follower has everything, but not the news that it is committed, and nothing is on its way after which it will be asked again.
 * The news is held back a moment, because what clients write next mostly carries it.
 */
export function hasNews(ctx: Context, role: LeaderRole): boolean {
  for (const progress of role.progress.values()) if (lacksNews(ctx, progress)) return true;
  return false;
}

/** Tells the followers that lack nothing else what is committed. */
export function tellCommit(ctx: Context, role: LeaderRole): void {
  for (const [id, progress] of role.progress) if (lacksNews(ctx, progress)) send(ctx, role, id, progress);
}

function lacksNews(ctx: Context, progress: Progress): boolean {
  const { committed } = ctx.state;
  if (progress.toldCommit >= committed.index || progress.inFlight.length > 0) return false;
  // The entries that it waits for bring it.
  if (mayWait(ctx, progress)) return false;
  return progress.mode !== "snapshot" && ctx.now >= progress.retryAt && !isBehindPurge(ctx, progress);
}

/**
 * Asks one voter now for an answer that confirms this leader (Raft thesis section 6.4). One question at a time: however many rounds are begun, a voter that is slow to answer
 * is asked about the newest of them when it has.
 */
export function askToConfirm(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  if (ctx.now < progress.retryAt || isConfirming(progress) || !isVoter(membershipOf(ctx.state), id)) return;
  sendEmpty(ctx, role, id, progress);
}

/** Sends heartbeats to the followers that heard nothing for an interval, and tries those again whose backoff is over. */
export function keepAlive(ctx: Context, role: LeaderRole): void {
  for (const [id, progress] of role.progress) {
    if (ctx.now < nextSendAt(ctx, progress)) continue;
    if (progress.mode !== "snapshot" && isBehindPurge(ctx, progress)) sendSnapshot(ctx, id, progress);
    if (progress.inFlight.length === 0 && progress.mode !== "snapshot") send(ctx, role, id, progress);
    else sendEmpty(ctx, role, id, progress);
  }
}

/** When `keepAlive` next has something to do; infinity when this leader has no followers. */
export function nextKeepAlive(ctx: Context, role: LeaderRole): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const progress of role.progress.values()) earliest = Math.min(earliest, nextSendAt(ctx, progress));
  return earliest;
}

/** With heartbeats turned off only those are tried again that failed. */
function nextSendAt(ctx: Context, progress: Progress): number {
  const { config, state } = ctx;
  const failed = progress.failures > 0 && progress.lastSentAt < progress.retryAt;
  if (!state.switches.heartbeat) return failed ? progress.retryAt : Number.POSITIVE_INFINITY;
  return Math.max(progress.lastSentAt + config.heartbeatIntervalMs, progress.retryAt);
}

/** True when the log no longer holds what the follower needs next: only a snapshot can help it. */
function isBehindPurge(ctx: Context, progress: Progress): boolean {
  return progress.nextIndex <= ctx.state.log.purged.index;
}

function sendSnapshot(ctx: Context, id: NodeId, progress: Progress): void {
  const { state } = ctx;
  state.appendSeq += 1;
  ctx.out.push({ type: "sendSnapshot", to: id, seq: state.appendSeq, term: state.vote.term });
  noteSnapshotSent(progress, state.appendSeq, state.snapshot.lastLogId.index);
}

/** Sends the next entries; none when the follower has them all. */
function send(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  const upto = Math.min(ctx.state.log.last.index, progress.nextIndex + ctx.config.maxPayloadEntries - 1);
  sendUpto(ctx, role, id, progress, progress.nextIndex - 1, upto);
}

/** Sends no entries. It goes beside requests in flight, and says only what the follower is known to have. */
function sendEmpty(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  const known = progress.mode === "probe" ? progress.nextIndex - 1 : progress.matchIndex;
  const prevIndex = Math.max(known, ctx.state.log.purged.index);
  sendUpto(ctx, role, id, progress, prevIndex, prevIndex);
}

function sendUpto(
  ctx: Context,
  role: LeaderRole,
  id: NodeId,
  progress: Progress,
  prevIndex: number,
  upto: number,
): void {
  const { state } = ctx;
  state.appendSeq += 1;
  const leaderCommit = state.committed.index;
  ctx.out.push({
    type: "sendAppendEntries",
    to: id,
    seq: state.appendSeq,
    term: state.vote.term,
    prevLogId: state.log.at(prevIndex),
    upto,
    leaderCommit,
  });
  const request = { seq: state.appendSeq, prevIndex, upto, round: role.round, sentAt: ctx.now };
  noteSent(progress, request, Math.min(leaderCommit, upto));
}
