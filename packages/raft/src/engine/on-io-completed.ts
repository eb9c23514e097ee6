import { advance } from "./advance.js";
import { dispatchApply } from "./commit.js";
import type { Context } from "./context.js";
import { countVotes } from "./election.js";
import type { PersistedEvent } from "./event.js";
import { notePersisted } from "./io.js";

/** Writes became durable: this node's own vote counts now, and its own copy of the log, and what is committed may be applied. */
export function onPersisted(ctx: Context, event: PersistedEvent): void {
  const { state } = ctx;
  notePersisted(ctx, event.ioSeq);
  if (state.role.type === "candidate" && state.io.persisted >= state.role.ownVoteIo) {
    state.role.granted.add(state.id);
    countVotes(ctx);
  } else if (state.role.type === "leader") {
    advance(ctx, state.role);
  }
  dispatchApply(ctx);
}
