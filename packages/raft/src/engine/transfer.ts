import type { NodeId } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { Context } from "./context.js";
import { effectiveMembership, membershipOf } from "./membership-state.js";
import { replicateToAll } from "./replication.js";
import type { LeaderRole } from "./state.js";

/**
 * The leadership goes from one node to another on purpose (Raft thesis section 3.10). The only writer of the transfer. Writes are refused
 * meanwhile; once the target has the whole log it is asked to stand at once, and the request is answered when
 * the next leader is known, or by its deadline.
 */

/** Begins a transfer to `target`, another voter. */
export function beginTransfer(
  ctx: Context,
  role: LeaderRole,
  requestId: number,
  target: NodeId,
  timeoutMs: number,
): void {
  const { state } = ctx;
  state.transfer = { requestId, target, deadline: ctx.now + timeoutMs, term: state.vote.term, asked: false };
  // The target lacks nothing that it could have.
  replicateToAll(ctx, role);
  pursueTransfer(ctx, role);
}

/**
 * Asks the target to stand, once it has all of the log. Not while a membership is not committed: the entry that leaves a joint one would
 * come just after, and the target would stand without it.
 */
export function pursueTransfer(ctx: Context, role: LeaderRole): void {
  const { transfer, log, vote, id, committed } = ctx.state;
  if (transfer === null || transfer.asked) return;
  if (committed.index < effectiveMembership(ctx.state).logId.index) return;
  if (role.progress.get(transfer.target)?.matchIndex !== log.last.index) return;
  transfer.asked = true;
  role.leaseForfeited = true;
  const request = { term: vote.term, leaderId: id, lastLogId: log.last };
  ctx.out.push({ type: "sendTimeoutNow", to: transfer.target, request });
}

/** The target did not take the question, or it got lost: ask again when it next answers. */
export function noteNotAsked(ctx: Context, target: NodeId): void {
  const { transfer } = ctx.state;
  if (transfer?.target === target) transfer.asked = false;
}

/** A leader is known, and of a later term, because the one in which the transfer began was led by this node: it worked, or did not. */
export function settleTransfer(ctx: Context, leaderId: NodeId): void {
  const { transfer } = ctx.state;
  if (transfer === null) return;
  const { target } = transfer;
  end(ctx, leaderId === target ? null : { code: "transferFailed", target, reason: "otherLeader" });
}

/** Gives a transfer up whose time is over: the leader serves again. */
export function expireTransfer(ctx: Context): void {
  const { transfer } = ctx.state;
  if (transfer === null || ctx.now < transfer.deadline) return;
  end(ctx, { code: "transferFailed", target: transfer.target, reason: "timeout" });
}

function end(ctx: Context, refusal: Refusal | null): void {
  const { requestId } = ctx.state.transfer as { readonly requestId: number };
  ctx.state.transfer = null;
  ctx.out.push({ type: "reply", requestId, refusal, afterIo: 0 });
}

/** The other voter that answers and has most of the log; null when none answers. */
export function bestSuccessor(ctx: Context, role: LeaderRole): NodeId | null {
  const incoming = membershipOf(ctx.state).configs.at(-1);
  let best: NodeId | null = null;
  let bestMatch = 0;
  for (const [id, progress] of role.progress) {
    const answers = ctx.now < progress.ackedSentAt + ctx.config.electionTimeoutMaxMs;
    if (!answers || incoming?.includes(id) !== true) continue;
    if (progress.matchIndex > bestMatch) {
      best = id;
      bestMatch = progress.matchIndex;
    }
  }
  return best;
}
