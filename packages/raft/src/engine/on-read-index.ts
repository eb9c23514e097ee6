import type { Context } from "./context.js";
import type { ReadIndexAnsweredEvent, ReadIndexEvent } from "./event.js";
import { holdsLease } from "./leadership.js";
import { startReadRound } from "./read-rounds.js";
import { replicateToAll } from "./replication.js";
import { knownLeader, refusal } from "./role.js";

/** Reads want to be linearizable: the leader finds out from which index on, a follower asks the leader. */
export function onReadIndex(ctx: Context, event: ReadIndexEvent): void {
  const { state } = ctx;
  const { requestId } = event;
  const { role } = state;
  if (role.type === "leader") {
    // Who asks waits until it has applied what it is told.
    if (event.forwarded) replicateToAll(ctx, role);
    // Before its blank entry is committed a leader does not know what else is, lease or not.
    if (event.policy === "lease" && state.committed.index >= role.firstIndex && holdsLease(ctx, role)) {
      ctx.out.push({ type: "readReady", requestId, readIndex: state.committed });
      return;
    }
    role.reads.push({ requestId, readIndex: null, round: 0 });
    startReadRound(ctx, role);
    return;
  }
  const leaderId = knownLeader(state);
  if (leaderId === null || event.forwarded)
    ctx.out.push({ type: "refuseReads", requestId, refusal: refusal(state) });
  else ctx.out.push({ type: "sendReadIndex", to: leaderId, requestId, policy: event.policy });
}

/** The leader said from which index on this follower may serve the reads, or it did not. */
export function onReadIndexAnswered(ctx: Context, event: ReadIndexAnsweredEvent): void {
  const { requestId, readIndex } = event;
  if (readIndex !== null) ctx.out.push({ type: "readReady", requestId, readIndex });
  else ctx.out.push({ type: "refuseReads", requestId, refusal: refusal(ctx.state) });
}
