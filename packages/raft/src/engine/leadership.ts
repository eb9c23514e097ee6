import type { Context } from "./context.js";
import { quorumAckedAt } from "./lease.js";
import { membershipOf } from "./membership-state.js";
import { loseQuorum } from "./role.js";
import type { LeaderRole } from "./state.js";

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
  return Math.max(acknowledgedAt(ctx, role), role.since) + ctx.config.electionTimeoutMaxMs;
}

/**
 * True while no other leader can have been elected, by the clocks of a quorum: the lease runs from the sending of the
 * messages they answered, for the least election timeout less the drift that their clocks may have.
 */
export function holdsLease(ctx: Context, role: LeaderRole): boolean {
  const { leaseMs } = ctx.config;
  return leaseMs !== null && ctx.now < acknowledgedAt(ctx, role) + leaseMs;
}

function acknowledgedAt(ctx: Context, role: LeaderRole): number {
  const { configs } = membershipOf(ctx.state);
  return quorumAckedAt(
    configs,
    ctx.state.id,
    (id) => role.progress.get(id)?.ackedSentAt ?? Number.NEGATIVE_INFINITY,
  );
}
