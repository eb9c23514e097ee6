import type { NodeId } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import type { TimeoutNowAnsweredEvent, TransferLeaderEvent } from "./event.js";
import { effectiveMembership, membershipOf } from "./membership-state.js";
import { refusal } from "./role.js";
import { beginTransfer, bestSuccessor, noteNotAsked } from "./transfer.js";
import { observeTerm } from "./vote-rule.js";

/** An operator wants another node to lead (Raft thesis section 3.10). To this node itself there is nothing to hand over. */
export function onTransferLeader(ctx: Context, event: TransferLeaderEvent): void {
  const { state } = ctx;
  const { role } = state;
  const { requestId, timeoutMs } = event;
  const reply = (reason: Refusal | null): void => {
    ctx.out.push({ type: "reply", requestId, refusal: reason, afterIo: 0 });
  };
  if (role.type !== "leader") return reply(refusal(state));
  if (state.transfer !== null) return reply({ code: "transferInProgress", target: state.transfer.target });
  // A leader that is being removed hands over by itself, and hears of its successor from nobody.
  const { logId } = effectiveMembership(state);
  if (!mayLead(ctx, state.id)) return reply({ code: "changeInProgress", logId });
  const target = event.target ?? bestSuccessor(ctx, role);
  if (target === null)
    return reply({ code: "invalidChange", problem: "no other voter answers that could lead" });
  if (target === state.id) return reply(null);
  if (!mayLead(ctx, target)) return reply({ code: "transferFailed", target, reason: "notAVoter" });
  beginTransfer(ctx, role, requestId, target, timeoutMs);
}

/** Only who votes in the incoming set can lead for long. */
function mayLead(ctx: Context, id: NodeId): boolean {
  return membershipOf(ctx.state).configs.at(-1)?.includes(id) === true;
}

/** The target stands, or does not, or was not reached. */
export function onTimeoutNowAnswered(ctx: Context, event: TimeoutNowAnsweredEvent): void {
  observeTerm(ctx, event.term);
  if (!event.accepted && event.requestTerm === ctx.state.vote.term) noteNotAsked(ctx, event.from);
}
