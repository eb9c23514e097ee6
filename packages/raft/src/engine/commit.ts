import type { LogId, NodeId } from "@seshat/common";
import type { Context } from "./context.js";
import { jointQuorumValue } from "./joint-config.js";
import { commitMemberships, membershipOf } from "./membership-state.js";
import { reconcileRole } from "./role.js";
import type { EngineState } from "./state.js";

/** The only writer of the commit index and of what follows from it: what is asked to be applied, and what was. */

/** As a leader: commits what a quorum has made durable, if it is of this leader's own term (Raft paper section 5.4.2). */
export function commitByQuorum(ctx: Context): void {
  const { state } = ctx;
  const { role } = state;
  // Of two followers' answers to one request the second finds all of it committed.
  if (role.type !== "leader" || state.committed.index === state.log.last.index) return;
  const index = jointQuorumValue(membershipOf(state).configs, durableOn, state);
  if (index >= role.firstIndex && index > state.committed.index) commit(ctx, state.log.at(index));
}

/** Up to where the log is durable on a node, as far as this leader knows. */
function durableOn(id: NodeId, { id: self, io, role }: EngineState): number {
  if (id === self) return io.durableIndex;
  return role.type === "leader" ? (role.progress.get(id)?.matchIndex ?? 0) : 0;
}

/** As a follower: commits what the leader has committed, as far as this log is known to equal the leader's. */
export function commitByLeader(ctx: Context, leaderCommit: number, matchIndex: number): void {
  const { state } = ctx;
  const index = Math.min(leaderCommit, matchIndex);
  if (index <= state.committed.index) return;
  const { memberships } = state;
  const known = memberships.length;
  commit(ctx, state.log.at(index));
  // Who was still needed while its removal was not committed is needed no more.
  if (memberships.length !== known) reconcileRole(ctx);
}

function commit(ctx: Context, logId: LogId): void {
  ctx.state.committed = logId;
  commitMemberships(ctx.state, logId.index);
  ctx.out.push({ type: "saveCommitted", committed: logId });
  dispatchApply(ctx);
}

/** Asks for what is committed, and durable here, to be applied. */
export function dispatchApply(ctx: Context): void {
  const { state } = ctx;
  // What is applied meanwhile would be overwritten, or be there twice.
  if (state.snapshot.installing !== null) return;
  const upto = Math.min(state.committed.index, state.io.durableIndex);
  if (upto <= state.dispatchedIndex) return;
  ctx.out.push({ type: "apply", since: state.dispatchedIndex + 1, upto });
  state.dispatchedIndex = upto;
}

/** The state machine has come to `logId`. */
export function noteApplied(ctx: Context, logId: LogId): void {
  const { state } = ctx;
  if (logId.index <= state.applied.index || logId.index > state.dispatchedIndex) {
    throw new Error(
      `applied ${logId.index} is not between ${state.applied.index} and ${state.dispatchedIndex}`,
    );
  }
  state.applied = logId;
}

/** The state machine holds a snapshot up to `logId`, which is committed: nothing up to there is left to apply. */
export function commitSnapshot(ctx: Context, logId: LogId): void {
  const { state } = ctx;
  if (logId.index > state.committed.index) {
    state.committed = logId;
    ctx.out.push({ type: "saveCommitted", committed: logId });
  }
  state.applied = logId;
  state.dispatchedIndex = logId.index;
}
