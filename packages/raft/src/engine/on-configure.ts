import type { Context } from "./context.js";
import type { ConfigureEvent } from "./event.js";
import { countFrom } from "./progress.js";
import { replicateToAll } from "./replication.js";
import { resetElectionTimer } from "./role.js";
import { considerSnapshot } from "./snapshot.js";

/** An operator turned something on or off. */
export function onConfigure(ctx: Context, event: ConfigureEvent): void {
  const { state } = ctx;
  const before = state.switches;
  state.switches = { ...before, ...event.switches };
  // What lay in the time that this node did not live through is not overdue.
  const ticks = state.switches.tick && !before.tick;
  if (ticks || (state.switches.elect && !before.elect)) resetElectionTimer(ctx);
  if (ticks && state.role.type === "leader")
    for (const progress of state.role.progress.values()) countFrom(progress, ctx.now);
  // Who waits for entries would do so for ever.
  if (before.tick && !state.switches.tick && state.role.type === "leader") replicateToAll(ctx, state.role);
  considerSnapshot(ctx);
}
