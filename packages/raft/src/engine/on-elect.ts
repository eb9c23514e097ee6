import type { Context } from "./context.js";
import { campaign } from "./election.js";
import { mayStand } from "./role.js";
import { mayElect } from "./vote-rule.js";

/**
 * An operator wants this node to stand now. The leader stays what it is, and who may not stand does not. Where leases are
 * served, a node that may have promised one waits for its end like everybody else.
 */
export function onElect(ctx: Context): void {
  const { state } = ctx;
  if (state.role.type === "leader" || !mayStand(state)) return;
  if (ctx.config.leaseMs === null || mayElect(ctx)) campaign(ctx, false);
}
