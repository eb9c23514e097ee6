import type { NodeId } from "@seshat/common";
import type { Context } from "./context.js";
import { quorumAckedAt } from "./lease.js";
import { membershipOf } from "./membership-state.js";
import { loseQuorum } from "./role.js";
import type { EngineState, LeaderRole } from "./state.js";

/** What a leader knows of its own leadership: whether a quorum still follows it, and for how long nobody else can lead. */

/**
 * Steps down when no quorum has answered for the longest election timeout (check-quorum, Raft thesis section 6.2).
 *
 * @returns true when this node leads on.
 */
export function checkQuorum(ctx: Context, role: LeaderRole): boolean {
  if (ctx.now < quorumDeadline(ctx, role)) return true;
  loseQuorum(ctx);
  return false;
}

/** When `checkQuorum` gives up, unless a quorum answers before. */
export function quorumDeadline(ctx: Context, role: LeaderRole): number {
  // Who is counted on only since a moment ago had no time to answer yet.
  const heardFrom = acknowledgedAt(ctx.state, (id) => {
    const progress = role.progress.get(id);
    return progress === undefined ? role.since : Math.max(progress.ackedSentAt, progress.countedSince);
  });
  return heardFrom + ctx.config.electionTimeoutMaxMs;
}

/**
 * True while no other leader can have been elected, by the clocks of a quorum: the lease runs from the sending of the
 * messages they answered, for the least election timeout less the drift that their clocks may have. It ends before the leadership is
 * handed over, and does not come back in this term: the message may still be on its way.
 */
export function holdsLease(ctx: Context, role: LeaderRole): boolean {
  const { leaseMs } = ctx.config;
  if (leaseMs === null || role.leaseForfeited || ctx.state.transfer !== null) return false;
  return ctx.now < lastQuorumAck(ctx.state, role) + leaseMs;
}

/** When the newest message was sent that a quorum has answered; negative infinity for never, infinity for a sole voter. */
export function lastQuorumAck(state: Readonly<EngineState>, role: LeaderRole): number {
  return acknowledgedAt(state, (id) => role.progress.get(id)?.ackedSentAt ?? Number.NEGATIVE_INFINITY);
}

function acknowledgedAt(state: Readonly<EngineState>, ackedSentAt: (id: NodeId) => number): number {
  return quorumAckedAt(membershipOf(state).configs, state.id, ackedSentAt);
}
