import { noteApplied } from "./commit.js";
import type { Context } from "./context.js";
import type { AppliedEvent } from "./event.js";
import { considerSnapshot, noteAppliedBytes, purgeForgotten } from "./snapshot.js";

/** The state machine moved on: a snapshot may be due, and followers may have come so far that more of the log can go. */
export function onApplied(ctx: Context, event: AppliedEvent): void {
  noteApplied(ctx, event.logId);
  noteAppliedBytes(ctx, event.bytes);
  considerSnapshot(ctx);
  purgeForgotten(ctx);
}
