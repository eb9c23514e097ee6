import type { Context } from "./context.js";
import { startElection } from "./election.js";
import { checkQuorum } from "./leadership.js";
import { hurryReadRounds } from "./read-rounds.js";
import { keepAlive, replicateRest } from "./replication.js";
import { expireTransfer } from "./transfer.js";

/** A deadline passed: of an election, a heartbeat, a transfer, or of those who are asked about reads. */
export function onTimer(ctx: Context): void {
  const { state } = ctx;
  // Somebody waits for its end, and writes are refused until then.
  expireTransfer(ctx);
  if (!state.switches.tick) return;
  switch (state.role.type) {
    case "learner":
      return;
    case "leader":
      // Who steps down must not put off the election of the next with one more heartbeat.
      if (!checkQuorum(ctx, state.role)) return;
      hurryReadRounds(ctx, state.role);
      replicateRest(ctx, state.role);
      keepAlive(ctx, state.role);
      return;
    default:
      if (ctx.now >= state.electionDeadline && state.switches.elect) startElection(ctx);
  }
}
