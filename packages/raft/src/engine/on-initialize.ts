import { ZERO_LOG_ID, equalLogIds, formatLogId, formatVote, isVoter } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import { startElection } from "./election.js";
import type { InitializeEvent } from "./event.js";
import { appendPayloads } from "./log-writer.js";
import type { EngineState } from "./state.js";

/**
 * Founds a cluster: the membership becomes the first entry, the only one of term 0, and an election begins. All founders have voted for this
 * node in that term, so that nobody else who shares one of them writes another.
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
  // Of term 0 is the vote with which all founders agree on the one that founds.
  const votedForAnother = vote.votedFor !== null && vote.votedFor !== state.id;
  if (vote.term > 0 || votedForAnother)
    return { code: "alreadyInitialized", found: `the vote ${formatVote(vote)}` };
  return isVoter(event.membership, state.id) ? null : { code: "notAMember" };
}
