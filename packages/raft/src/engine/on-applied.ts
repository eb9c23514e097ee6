import { noteApplied } from "./commit.js";
import type { Context } from "./context.js";
import type { AppliedEvent } from "./event.js";
import { considerSnapshot } from "./snapshot.js";

/** The state machine moved on: a snapshot may be due. */
export function onApplied(ctx: Context, event: AppliedEvent): void {
  noteApplied(ctx, event.logId);
  considerSnapshot(ctx);
}
