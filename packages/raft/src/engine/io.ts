import type { LogEntry, LogId, Vote } from "@seshat/common";
import type { Context } from "./context.js";
import { dropFirst } from "./drop-first.js";
import type { OutstandingIo } from "./state.js";

/**
 * The durable writes of the engine: each gets the next sequence number, and what is durable is known by the
 * highest number reported back.
 */

function issue(ctx: Context, lastIndex: number): number {
  const { io } = ctx.state;
  io.issued += 1;
  io.outstanding.push({ seq: io.issued, lastIndex });
  return io.issued;
}

/**
 * Asks for the vote to be saved. A step that has just asked for another (a later term was seen, and then the vote in it was
 * given) saves only the last one: it says all that the first did, and a disk syncs once.
 */
export function writeVote(ctx: Context, vote: Vote): number {
  const newest = ctx.out.at(-1);
  if (newest?.type === "saveVote") {
    ctx.out[ctx.out.length - 1] = { type: "saveVote", ioSeq: newest.ioSeq, vote };
    return newest.ioSeq;
  }
  const ioSeq = issue(ctx, 0);
  ctx.out.push({ type: "saveVote", ioSeq, vote });
  return ioSeq;
}

/** Asks for entries to be appended. */
export function writeEntries(
  ctx: Context,
  entries: readonly LogEntry<unknown, unknown>[],
  lastIndex: number,
): void {
  const ioSeq = issue(ctx, lastIndex);
  ctx.out.push({ type: "append", ioSeq, entries });
}

/**
 * Asks for the entries from index `since` on to be removed. Appends that are still on their way no longer make
 * anything durable from there on: an index that is written again must not count as durable by the old write.
 */
export function writeTruncation(ctx: Context, since: number): void {
  const { io } = ctx.state;
  for (const write of io.outstanding) write.lastIndex = Math.min(write.lastIndex, since - 1);
  io.durableIndex = Math.min(io.durableIndex, since - 1);
  ctx.out.push({ type: "truncate", ioSeq: issue(ctx, 0), since });
}

/** Asks for the entries up to `upto` to be removed. */
export function writePurge(ctx: Context, upto: LogId): void {
  ctx.out.push({ type: "purge", ioSeq: issue(ctx, 0), upto });
}

/** The state up to `index` is durable in a snapshot, whatever the log has of it. */
export function noteDurableSnapshot(ctx: Context, index: number): void {
  const { io } = ctx.state;
  io.durableIndex = Math.max(io.durableIndex, index);
}

/** Notes that every write up to `ioSeq` is durable. */
export function notePersisted(ctx: Context, ioSeq: number): void {
  const { io } = ctx.state;
  if (ioSeq <= io.persisted || ioSeq > io.issued) {
    throw new Error(`persisted write ${ioSeq} is not between ${io.persisted} and ${io.issued}`);
  }
  let done = 0;
  for (; done < io.outstanding.length; done++) {
    const write = io.outstanding[done] as OutstandingIo;
    if (write.seq > ioSeq) break;
    io.durableIndex = Math.max(io.durableIndex, write.lastIndex);
  }
  if (done === 1) dropFirst(io.outstanding);
  else io.outstanding.splice(0, done);
  io.persisted = ioSeq;
}
