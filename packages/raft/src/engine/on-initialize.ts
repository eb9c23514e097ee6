import { ZERO_LOG_ID, equalLogIds, formatLogId, formatVote, isVoter } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import { startElection } from "./election.js";
import type { InitializeEvent } from "./event.js";
import { appendPayloads } from "./log-writer.js";
import type { EngineState } from "./state.js";

/**
 * Founds a cluster: the membership becomes the first entry, in term 0, so that every founder writes the same one,
 * and an election begins.
 */
export function onInitialize(ctx: Context, event: InitializeEvent): void {
  const { state } = ctx;
  const refusal = refuse(state, event);
  if (refusal === null) {
    appendPayloads(ctx, 0, [{ type: "membership", membership: event.membership }]);
  }
  ctx.out.push({ type: "reply", requestId: event.requestId, refusal, afterIo: state.io.issued });
  if (refusal === null) startElection(ctx);
}

function refuse(state: EngineState, event: InitializeEvent): Refusal | null {
  const { vote, log } = state;
  if (!equalLogIds(log.last, ZERO_LOG_ID)) {
    return { code: "alreadyInitialized", found: `a log up to ${formatLogId(log.last)}` };
  }
  if (vote.term > 0) return { code: "alreadyInitialized", found: `the vote ${formatVote(vote)}` };
  return isVoter(event.membership, state.id) ? null : { code: "notAMember" };
}
