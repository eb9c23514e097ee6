import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import type { ClientWriteEvent } from "./event.js";
import { appendPayloads } from "./log-writer.js";
import { replicate } from "./replication.js";
import { refusal } from "./role.js";
import { unmetExpectation } from "./write-expectation.js";

/** Appends the writes of one turn and replicates them, while the leader's own disk works (Raft thesis section 10.2.1). */
export function onClientWrite(ctx: Context, event: ClientWriteEvent): void {
  const { state } = ctx;
  const { role } = state;
  if (role.type !== "leader") return refuse(ctx, refusal(state));
  const refused = refuseAsLeader(ctx, event);
  if (refused !== null) return refuse(ctx, refused);
  const firstIndex = appendPayloads(ctx, state.vote.term, event.payloads);
  ctx.out.push({ type: "acceptWrites", firstIndex });
  replicate(ctx, role);
}

function refuse(ctx: Context, reason: Refusal): void {
  ctx.out.push({ type: "refuseWrites", refusal: reason });
}

function refuseAsLeader(ctx: Context, event: ClientWriteEvent): Refusal | null {
  const { state, config } = ctx;
  if (state.transfer !== null) return { code: "transferInProgress", target: state.transfer.target };
  const uncommitted = state.log.last.index - state.committed.index;
  if (uncommitted > 0 && uncommitted + event.payloads.length > config.maxUncommittedEntries) {
    return { code: "overloaded", limit: config.maxUncommittedEntries };
  }
  return event.expect === undefined ? null : unmetExpectation(state, event.expect);
}
