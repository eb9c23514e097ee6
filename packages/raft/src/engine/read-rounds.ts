import type { NodeId } from "@seshat/common";
import type { Context } from "./context.js";
import { jointQuorumValue } from "./joint-config.js";
import { membershipOf } from "./membership-state.js";
import type { Progress } from "./progress.js";
import { askToConfirm, confirmLeadership } from "./replication.js";
import type { EngineState, LeaderRole } from "./state.js";

/**
 * Linearizable reads without a log entry (Raft thesis section 6.4): note the commit index, then have a quorum confirm, by answering
 * a message sent after the reads came, that this node still leads. Reads that come in one turn share a round; a follower that
 * is still being asked about an earlier round is asked about the newest one next, whatever came between.
 */

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
  confirmLeadership(ctx, role);
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

/** A follower answered: asks it again when reads have come since it was asked. */
export function continueReadRounds(ctx: Context, role: LeaderRole, id: NodeId, progress: Progress): void {
  const newest = role.reads.at(-1)?.round ?? 0;
  if (newest > progress.ackedRound) askToConfirm(ctx, role, id, progress);
}
