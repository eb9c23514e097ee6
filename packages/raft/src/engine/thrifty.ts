import type { NodeId } from "@seshat/common";
import type { Context } from "./context.js";
import { membershipOf } from "./membership-state.js";
import type { Progress } from "./progress.js";
import { noteSpare, usualTrip } from "./progress.js";
import { hasQuorum } from "./quorum.js";
import type { LeaderRole } from "./state.js";

/**
 * Thrifty replication (after the optimization of that name in EPaxos): what clients write goes at once to as many followers as make a quorum, and
 * to the spare ones a moment later, many entries in one message (ADR 72). Who is spare is a matter of speed alone. Nothing is promised by
 * being chosen: an entry counts wherever it is durable, and what a spare follower waits for it gets when `restAt` comes, whatever the others do.
 */

/** Who is chosen stays so unless a spare follower answers in less than this share of its time: one slow answer moves nobody. */
const CLEARLY_QUICKER = 0.5;

/**
 * A spare follower that lacks as many entries waits no longer. More in one message would save little; and where many come at once all followers are
 * sent the same, which is read and encoded once, and the quicker of them decides.
 */
const MOST_WAITING = 32;

/**
 * Chooses anew who is spare: who does not vote, and of the voters the slowest, as far as a quorum keeps up without them. This leader is always one of
 * the quorum: it answers what it has applied, and applies what is durable here too (`commit.ts`), so nobody gains by not waiting for its disk.
 */
export function chooseSpares(ctx: Context, role: LeaderRole): void {
  const { state, config } = ctx;
  if (config.thriftyDelayMs === 0) return;
  const { configs } = membershipOf(state);
  const chosen = new Set([state.id]);
  for (const [id, progress] of quickestFirst(ctx, role)) {
    noteSpare(
      progress,
      configs.every((voters) => !voters.includes(id) || hasQuorum(voters, chosen)),
    );
    if (progress.mode === "pipeline") chosen.add(id);
  }
}

/** True when a follower lacks something, and need not be sent it before `restAt`. */
export function mayWait({ state, config }: Context, { spare, mode, nextIndex }: Progress): boolean {
  // Without ticks `restAt` does not come; and who is to lead, or may have to elect who does, is to have everything.
  if (!spare || mode !== "pipeline" || !state.switches.tick || state.transfer !== null) return false;
  const lacking = state.log.last.index - nextIndex + 1;
  return lacking > 0 && lacking < Math.min(MOST_WAITING, config.maxPayloadEntries);
}

/** A spare follower lacks something that it is not sent now. */
export function noteWaiting(ctx: Context, role: LeaderRole): void {
  if (role.restAt !== Number.POSITIVE_INFINITY) return;
  role.restAt = ctx.now + ctx.config.thriftyDelayMs;
  ctx.deadlineMoved = true;
}

/** A chosen follower failed: others are to take its place, and what they were not sent is overdue. */
export function missChosen(ctx: Context, role: LeaderRole): void {
  if (ctx.config.thriftyDelayMs === 0) return;
  role.restAt = Math.min(role.restAt, ctx.now);
  ctx.deadlineMoved = true;
}

function quickestFirst(ctx: Context, role: LeaderRole): readonly (readonly [NodeId, Progress])[] {
  return [...role.progress].sort(
    ([, a], [, b]) => rank(ctx, a) - rank(ctx, b) || Number(a.spare) - Number(b.spare),
  );
}

/** Nobody can count on who does not keep up: it comes last. */
function rank({ now }: Context, progress: Progress): number {
  if (progress.mode !== "pipeline") return Number.MAX_VALUE;
  return usualTrip(progress, now) * (progress.spare ? 1 : CLEARLY_QUICKER);
}
