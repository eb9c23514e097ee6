import type { NodeId } from "@seshat/common";
import type { Context } from "./context.js";
import { jointQuorumValue } from "./joint-config.js";
import { membershipOf } from "./membership-state.js";
import type { Progress } from "./progress.js";
import { isAskedAbout } from "./progress.js";
import { askToConfirm } from "./replication.js";
import type { EngineState, LeaderRole } from "./state.js";

/**
 * Linearizable reads without a log entry (Raft thesis section 6.4): note the commit index, then have a quorum confirm, by answering
 * a message sent after the reads came, that this node still leads. Reads that come in one turn share a round; a follower that
 * is still being asked about an earlier round is asked about the newest one next, whatever came between. No more are asked than make a
 * quorum, unless these take their time (ADR 61).
 */

/**
 * So long those that make a quorum have to answer before the others are asked too, in milliseconds. It is for the one read that finds a follower
 * hanging: the next are asked of others. A shorter timer would cost more, in every round, than the messages that are saved.
 */
const PATIENCE_MS = 10;

/**
 * True when a read of the state machine, as it is, is linearizable: this node leads, nobody else votes, so that it need not ask whether
 * somebody has taken its place, and everything that it knows to be committed is applied.
 */
export function mayReadAtOnce(state: Readonly<EngineState>): boolean {
  const { role, committed, applied } = state;
  if (role.type !== "leader" || committed.index < role.firstIndex || applied.index < committed.index)
    return false;
  const { configs } = membershipOf(state);
  const voters = configs[0];
  return configs.length === 1 && voters?.length === 1 && voters[0] === state.id;
}

/**
 * Gives reads that wait for one their index and round. Until the leader has committed an entry of its own term it
 * cannot know what else is committed, so they wait on.
 */
export function startReadRound(ctx: Context, role: LeaderRole): void {
  const { state } = ctx;
  if (role.reads.length === 0 || state.committed.index < role.firstIndex) return;
  const waiting = role.reads.filter((read) => read.readIndex === null);
  if (waiting.length === 0) return;
  role.round += 1;
  for (const read of waiting) {
    read.readIndex = state.committed;
    read.round = role.round;
  }
  askQuorum(ctx, role);
  finishReadRounds(ctx, role);
}

/** Lets the reads go whose round a quorum has answered. */
export function finishReadRounds(ctx: Context, role: LeaderRole): void {
  if (role.reads.length === 0) return;
  const { state } = ctx;
  const confirmed = jointQuorumValue(membershipOf(state).configs, (id) =>
    id === state.id ? role.round : (role.progress.get(id)?.ackedRound ?? 0),
  );
  role.reads = role.reads.filter((read) => {
    if (read.readIndex === null || read.round > confirmed) return true;
    ctx.out.push({ type: "readReady", requestId: read.requestId, readIndex: read.readIndex });
    return false;
  });
}

/** A follower answered: it, or another, is asked about the reads that have come since. */
export function continueReadRounds(ctx: Context, role: LeaderRole): void {
  if (role.reads.length > 0) askQuorum(ctx, role);
}

/** Asks the other voters too where a quorum took its time. */
export function hurryReadRounds(ctx: Context, role: LeaderRole): void {
  if (ctx.now < nextReadDeadline(role)) return;
  role.askRestAt = Number.POSITIVE_INFINITY;
  const newest = newestRound(role);
  for (const [id, progress] of role.progress)
    if (!isAskedAbout(progress, newest)) askToConfirm(ctx, role, id, progress);
}

/** When `hurryReadRounds` next has something to do; infinity for never. */
export function nextReadDeadline(role: LeaderRole): number {
  return role.reads.length === 0 ? Number.POSITIVE_INFINITY : role.askRestAt;
}

/** Asks about the newest round until a quorum is asked: first who answered what was sent last, for it is alive and quick. */
function askQuorum(ctx: Context, role: LeaderRole): void {
  const newest = newestRound(role);
  const asked = ctx.out.length;
  for (const [id, progress] of [...role.progress].sort(byLastAnswer)) {
    if (isQuorumAsked(ctx.state, role, newest)) break;
    if (!isAskedAbout(progress, newest)) askToConfirm(ctx, role, id, progress);
  }
  if (ctx.out.length === asked) return;
  role.askRestAt = ctx.now + PATIENCE_MS;
  ctx.deadlineMoved = true;
}

function byLastAnswer([, a]: readonly [NodeId, Progress], [, b]: readonly [NodeId, Progress]): number {
  return a.ackedSentAt === b.ackedSentAt ? 0 : b.ackedSentAt - a.ackedSentAt;
}

function isQuorumAsked(state: Readonly<EngineState>, role: LeaderRole, round: number): boolean {
  const isAsked = (id: NodeId): boolean => {
    const progress = role.progress.get(id);
    return id === state.id || (progress !== undefined && isAskedAbout(progress, round));
  };
  return jointQuorumValue(membershipOf(state).configs, (id) => (isAsked(id) ? 1 : 0)) === 1;
}

/** Of the reads that have one; 0 for none. */
function newestRound(role: LeaderRole): number {
  return role.reads.at(-1)?.round ?? 0;
}
