import type { AppendEntriesRequest, AppendEntriesResponse, LogEntry } from "@seshat/common";
import { commitByLeader } from "./commit.js";
import type { Context } from "./context.js";
import type { AppendEntriesRequestEvent } from "./event.js";
import type { LogTrail } from "./log-trail.js";
import { appendEntries, truncateLog } from "./log-writer.js";
import { acceptLeader } from "./vote-rule.js";

/** Makes the log equal the leader's (Raft paper figure 2, AppendEntries). The answer waits until what it says is durable. */
export function onAppendEntries(ctx: Context, event: AppendEntriesRequestEvent): void {
  const { state } = ctx;
  const response: AppendEntriesResponse = acceptLeader(ctx, event.request.term, event.request.leaderId)
    ? follow(ctx, event.request)
    : { type: "refused", term: state.vote.term };
  ctx.out.push({ type: "answerAppendEntries", rpcId: event.rpcId, response, afterIo: state.io.issued });
}

function follow(ctx: Context, request: AppendEntriesRequest): AppendEntriesResponse {
  const { log, vote } = ctx.state;
  const { prevLogId, entries } = request;
  // What this node has purged is committed, so it equals the leader's: a purged predecessor is no conflict.
  if (prevLogId.index > log.purged.index && !log.has(prevLogId)) {
    return {
      type: "conflict",
      term: vote.term,
      hint: log.lastNoNewerThan(prevLogId.index - 1, prevLogId.term),
    };
  }
  // Only a conflict truncates. What matches stays, so that an old or repeated request removes nothing.
  const firstNew = firstNewIn(log, entries);
  if (firstNew >= 0) {
    const added = firstNew === 0 ? entries : entries.slice(firstNew);
    const since = prevLogId.index + 1 + firstNew;
    if (since <= log.last.index) truncateLog(ctx, since);
    appendEntries(ctx, added);
  }
  const matchIndex = prevLogId.index + entries.length;
  commitByLeader(ctx, request.leaderCommit, matchIndex);
  return { type: "success", term: vote.term, matchIndex };
}

/** The position of the first entry that the log does not have; -1 when it has them all. */
function firstNewIn(log: LogTrail, entries: AppendEntriesRequest["entries"]): number {
  for (let i = 0; i < entries.length; i++) {
    const { logId } = entries[i] as LogEntry<unknown, unknown>;
    if (logId.index > log.purged.index && !log.has(logId)) return i;
  }
  return -1;
}
