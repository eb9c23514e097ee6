import type { Context } from "./context.js";
import type { StorageStalledEvent } from "./event.js";
import { noteStall } from "./role.js";

/**
 * Storage hangs, or works again. A leader whose disk hangs could go on committing through its followers, and yet answer nobody: it
 * steps down, so that another is elected.
 */
export function onStorageStalled(ctx: Context, event: StorageStalledEvent): void {
  noteStall(ctx, event.verb);
}
