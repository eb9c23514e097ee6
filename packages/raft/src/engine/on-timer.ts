import type { Context } from "./context.js";
import { startElection } from "./election.js";
import { keepAlive } from "./replication.js";

/** A deadline passed: an election is due, or a heartbeat. */
export function onTimer(ctx: Context): void {
  const { state } = ctx;
  switch (state.role.type) {
    case "learner":
      return;
    case "leader":
      keepAlive(ctx, state.role);
      return;
    default:
      if (ctx.now >= state.electionDeadline) startElection(ctx);
  }
}
