import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import type { ChangeMembershipEvent } from "./event.js";
import { beginChange } from "./membership-change.js";
import { effectiveMembership } from "./membership-state.js";
import { refusal } from "./role.js";

/**
 * Somebody wants to change who belongs to the cluster. One change at a time; one that comes before the leader may make it (it has not
 * committed anything of its own term, or still leaves a joint membership that it found) waits for that.
 */
export function onChangeMembership(ctx: Context, event: ChangeMembershipEvent): void {
  const { state } = ctx;
  const { role } = state;
  const refuse = (reason: Refusal): void => {
    ctx.out.push({ type: "reply", requestId: event.requestId, refusal: reason, afterIo: 0 });
  };
  if (role.type !== "leader") return refuse(refusal(state));
  if (state.transfer !== null) return refuse({ code: "transferInProgress", target: state.transfer.target });
  if (role.change !== null) return refuse({ code: "changeInProgress", logId: role.change.logId });
  const { logId } = effectiveMembership(state);
  if (state.committed.index < Math.max(role.firstIndex, logId.index)) role.change = { event, logId: null };
  else beginChange(ctx, role, event);
}
