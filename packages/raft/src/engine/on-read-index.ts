import type { Context } from "./context.js";
import type { ReadIndexEvent } from "./event.js";
import { startReadRound } from "./read-rounds.js";
import { knownLeader } from "./role.js";

/** Reads want to be linearizable. */
export function onReadIndex(ctx: Context, event: ReadIndexEvent): void {
  const { state } = ctx;
  const { requestId } = event;
  if (state.role.type !== "leader") {
    ctx.out.push({
      type: "refuseReads",
      requestId,
      refusal: { code: "notLeader", leaderId: knownLeader(state) },
    });
    return;
  }
  state.role.reads.push({ requestId, readIndex: null, round: 0 });
  startReadRound(ctx, state.role);
}
