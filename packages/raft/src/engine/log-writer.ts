import type { EntryPayload, LogEntry, LogId } from "@seshat/common";
import type { Context } from "./context.js";
import { syncFollowers } from "./followers.js";
import { writeEntries, writePurge, writeTruncation } from "./io.js";
import { adoptMembership, membershipOf, rollBackMemberships } from "./membership-state.js";
import { reconcileRole } from "./role.js";

/** Grows and cuts the log: the trail, the memberships in it and the durable writes move together here. */

/** Appends payloads as new entries of `term`. @returns the index of the first. */
export function appendPayloads(
  ctx: Context,
  term: number,
  payloads: readonly EntryPayload<unknown, unknown>[],
): number {
  const firstIndex = ctx.state.log.last.index + 1;
  const entries = new Array<LogEntry<unknown, unknown>>(payloads.length);
  for (let i = 0; i < payloads.length; i++) {
    const payload = payloads[i] as EntryPayload<unknown, unknown>;
    entries[i] = { logId: { term, index: firstIndex + i }, payload };
  }
  appendEntries(ctx, entries);
  return firstIndex;
}

/** Appends entries (at least one) that follow directly on the log. A membership among them is in force at once. */
export function appendEntries(ctx: Context, entries: readonly LogEntry<unknown, unknown>[]): void {
  const { state } = ctx;
  const before = membershipOf(state);
  let newest = entries[0]?.logId;
  for (let i = 0; i < entries.length; i++) {
    const { logId, payload } = entries[i] as LogEntry<unknown, unknown>;
    // Mostly all of them are of one term, and go into the trail as one.
    if (newest !== undefined && newest.term !== logId.term) state.log.extend(newest.term, newest.index);
    newest = logId;
    if (payload.type === "membership") adoptMembership(state, { logId, membership: payload.membership });
  }
  if (newest !== undefined) state.log.extend(newest.term, newest.index);
  writeEntries(ctx, entries, state.log.last.index);
  if (membershipOf(state) === before) return;
  if (state.role.type === "leader") syncFollowers(ctx, state.role, before);
  else reconcileRole(ctx);
}

/** Removes the entries from index `since` on, inclusive, none of which is committed. */
export function truncateLog(ctx: Context, since: number): void {
  const { state } = ctx;
  if (since <= state.committed.index) {
    throw new Error(
      `entry ${since} conflicts with the leader's, but everything up to ${state.committed.index} is committed`,
    );
  }
  state.log.truncate(since);
  rollBackMemberships(state, since);
  writeTruncation(ctx, since);
  reconcileRole(ctx);
}

/** Empties the log, which goes on after `lastLogId`: a snapshot up to there stands for all of it. */
export function replaceLog(ctx: Context, lastLogId: LogId): void {
  const { log } = ctx.state;
  // Storage would not purge up to an entry that is not the one it has at that index.
  if (log.last.index >= lastLogId.index) truncateLog(ctx, lastLogId.index);
  log.purge(lastLogId);
  writePurge(ctx, lastLogId);
}
