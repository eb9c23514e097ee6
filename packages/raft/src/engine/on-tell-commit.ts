import type { Context } from "./context.js";
import { tellCommit } from "./replication.js";

/** Nothing else came for a moment: who was not told with other messages what is committed is told now. */
export function onTellCommit(ctx: Context): void {
  const { role } = ctx.state;
  if (role.type === "leader") tellCommit(ctx, role);
}
