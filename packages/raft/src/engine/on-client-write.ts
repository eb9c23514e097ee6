import type { Context } from "./context.js";
import type { ClientWriteEvent } from "./event.js";
import { appendPayloads } from "./log-writer.js";
import { replicateToAll } from "./replication.js";
import { knownLeader } from "./role.js";

/** Appends the writes of one turn and replicates them, while the leader's own disk works (Raft thesis section 10.2.1). */
export function onClientWrite(ctx: Context, event: ClientWriteEvent): void {
  const { state } = ctx;
  if (state.role.type !== "leader") {
    ctx.out.push({ type: "refuseWrites", refusal: { code: "notLeader", leaderId: knownLeader(state) } });
    return;
  }
  const firstIndex = appendPayloads(ctx, state.vote.term, event.payloads);
  ctx.out.push({ type: "acceptWrites", firstIndex });
  replicateToAll(ctx, state.role);
}
