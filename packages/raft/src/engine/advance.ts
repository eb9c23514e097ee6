import { commitByQuorum } from "./commit.js";
import type { Context } from "./context.js";
import { advanceMembership } from "./membership-change.js";
import { committedMembership } from "./membership-state.js";
import { finishReadRounds, startReadRound } from "./read-rounds.js";
import { replicate } from "./replication.js";
import type { LeaderRole } from "./state.js";
import { pursueTransfer } from "./transfer.js";

/**
 * Commits what a quorum has, and does all that follows from it: a change of the membership goes on, reads get their index,
 * the followers hear of it, and a transfer may go on. Leaving a joint membership may let more be committed at once.
 *
 * @returns true when this node leads on.
 */
export function advance(ctx: Context, role: LeaderRole): boolean {
  const { state } = ctx;
  const before = state.committed.index;
  for (let goesOn = true; goesOn;) {
    const committed = state.committed.index;
    const membership = committedMembership(state);
    commitByQuorum(ctx);
    // Most commits say nothing about the membership, and are all there is: only one that is of it, or this leader's first.
    const concerns = committedMembership(state) !== membership || committed < role.firstIndex;
    goesOn = concerns && state.committed.index > committed;
    if (goesOn) advanceMembership(ctx, role);
    if (state.role !== role) return false;
  }
  const moved = state.committed.index > before;
  if (moved) startReadRound(ctx, role);
  finishReadRounds(ctx, role);
  if (moved) replicate(ctx, role);
  pursueTransfer(ctx, role);
  return true;
}
