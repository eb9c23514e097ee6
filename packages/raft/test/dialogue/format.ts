import type {
  AppendEntriesResponse,
  EntryPayload,
  LogEntry,
  LogId,
  Membership,
  NodeId,
} from "@seshat/common";
import { formatLogId, formatVote } from "@seshat/common";
import type { Command, Refusal } from "../../src/engine/command.js";
import type { Event, MembershipChange } from "../../src/engine/event.js";

/**
 * Events and commands as one line each, for people: what a dialogue between engines looked like. Log ids are written
 * `term-index`, votes `T3:n2`, entries `term-index kind`.
 */

function entries(list: readonly LogEntry<unknown, unknown>[]): string {
  return `[${list.map(({ logId, payload }) => `${formatLogId(logId)} ${kind(payload)}`).join(", ")}]`;
}

function kind(payload: EntryPayload<unknown, unknown>): string {
  return payload.type === "membership" ? `membership ${voters(payload.membership)}` : payload.type;
}

function refused(refusal: Refusal | null): string {
  if (refusal === null) return "done";
  switch (refusal.code) {
    case "notLeader":
      return `notLeader, leader ${node(refusal.leaderId)}`;
    case "changeInProgress":
      return `changeInProgress, entry ${entryOf(refusal.logId)}`;
    case "transferInProgress":
      return `transferInProgress, to n${refusal.target}`;
    case "transferFailed":
      return `transferFailed, to n${refusal.target}: ${refusal.reason}`;
    default:
      return refusal.code;
  }
}

function entryOf(logId: LogId | null): string {
  return logId === null ? "none" : formatLogId(logId);
}

function voters({ configs, leaving }: Membership<unknown>): string {
  const sets = configs.map((config) => `{${config.join()}}`).join(" and ");
  return leaving.length === 0 ? sets : `${sets}, ${leaving.map(node).join(", ")} leaving`;
}

function changes(change: MembershipChange<unknown>): string {
  switch (change.type) {
    case "replaceVoters":
    case "addVoters":
    case "removeVoters":
    case "removeNodes":
      return `${change.type} {${change.ids.join()}}`;
    case "addNodes":
    case "setNodes":
    case "replaceNodes":
      return `${change.type} {${change.nodes.map(([id]) => id).join()}}`;
    case "batch":
      return change.changes.map(changes).join(", ");
  }
}

function node(id: NodeId | null): string {
  return id === null ? "none" : `n${id}`;
}

function granted(response: { readonly term: number; readonly granted: boolean }): string {
  return `${response.granted ? "granted" : "refused"} in T${response.term}`;
}

function appended(response: AppendEntriesResponse): string {
  switch (response.type) {
    case "success":
      return `success in T${response.term}, match ${response.matchIndex}`;
    case "conflict":
      return `conflict in T${response.term}, hint ${formatLogId(response.hint)}`;
    case "refused":
      return `refused in T${response.term}`;
  }
}

function took(response: { readonly term: number; readonly accepted: boolean }): string {
  return `${response.accepted ? "stands" : "does not stand"}, in T${response.term}`;
}

function range(prevLogId: LogId, upto: number): string {
  return upto === prevLogId.index ? "no entries" : `entries ${prevLogId.index + 1}..${upto}`;
}

/** One line for an event, without its end of line. */
export function formatEvent(event: Event): string {
  switch (event.type) {
    case "initialize":
      return `initialize voters ${JSON.stringify(event.membership.configs)}`;
    case "clientWrite":
      return `clientWrite ${event.payloads.length} payloads`;
    case "readIndex":
      return `readIndex #${event.requestId} by ${event.policy}${event.forwarded ? ", forwarded" : ""}`;
    case "readIndexAnswered":
      return `readIndexAnswered #${event.requestId}: ${event.readIndex === null ? "none" : formatLogId(event.readIndex)}`;
    case "changeMembership":
      return `changeMembership #${event.requestId}: ${changes(event.change)}`;
    case "transferLeader":
      return `transferLeader #${event.requestId} to ${node(event.target)} within ${event.timeoutMs} ms`;
    case "timeoutNowRequest": {
      const { term, leaderId, lastLogId } = event.request;
      return `timeoutNowRequest from n${leaderId} in T${term}, last log ${formatLogId(lastLogId)}`;
    }
    case "timeoutNowAnswered":
      return `timeoutNowAnswered from n${event.from} to T${event.requestTerm}: ${took(event)}`;
    case "installSnapshotRequest":
      return `installSnapshotRequest from n${event.leaderId} in T${event.term}, up to ${formatLogId(event.meta.lastLogId)}`;
    case "snapshotReceived":
      return `snapshotReceived up to ${formatLogId(event.meta.lastLogId)}`;
    case "snapshotInstalled":
      return `snapshotInstalled up to ${formatLogId(event.lastLogId)}${event.installed ? "" : ": unreadable"}`;
    case "installSnapshotResponse":
      return `installSnapshotResponse from n${event.from} to #${event.seq}: ${event.response.type} in T${event.response.term}`;
    case "installSnapshotFailed":
      return `installSnapshotFailed from n${event.from} to #${event.seq}`;
    case "configure":
      return `configure ${JSON.stringify(event.switches)}`;
    case "storageStalled":
      return `storageStalled: ${event.verb ?? "no more"}`;
    case "tellCommit":
    case "timer":
    case "elect":
      return event.type;
    case "takeSnapshot":
      return `takeSnapshot #${event.requestId}`;
    case "purgeLog":
      return `purgeLog upto ${event.upto}`;
    case "persisted":
      return `persisted io ${event.ioSeq}`;
    case "applied":
      return `applied ${formatLogId(event.logId)}`;
    case "snapshotBuilt":
      return `snapshotBuilt ${formatLogId(event.lastLogId)}`;
    case "preVoteRequest":
    case "voteRequest": {
      const { term, candidateId, lastLogId } = event.request;
      const handed = "transfer" in event.request && event.request.transfer ? ", handed over" : "";
      return `${event.type} from n${candidateId} for T${term}, last log ${formatLogId(lastLogId)}${handed}`;
    }
    case "appendEntriesRequest": {
      const { term, leaderId, prevLogId, leaderCommit } = event.request;
      const list = event.request.entries.length === 0 ? "no entries" : entries(event.request.entries);
      return `appendEntriesRequest from n${leaderId} in T${term}, after ${formatLogId(prevLogId)}, ${list}, commit ${leaderCommit}`;
    }
    case "preVoteResponse":
    case "voteResponse":
      return `${event.type} from n${event.from} to T${event.requestTerm}: ${granted(event.response)}`;
    case "appendEntriesResponse":
      return `appendEntriesResponse from n${event.from} to #${event.seq}: ${appended(event.response)}`;
    case "appendEntriesFailed":
      return `appendEntriesFailed from n${event.from} to #${event.seq}`;
  }
}

/** One line for a command, without its end of line. */
export function formatCommand(command: Command): string {
  switch (command.type) {
    case "saveVote":
      return `saveVote ${formatVote(command.vote)} (io ${command.ioSeq})`;
    case "append":
      return `append ${entries(command.entries)} (io ${command.ioSeq})`;
    case "truncate":
      return `truncate since ${command.since} (io ${command.ioSeq})`;
    case "purge":
      return `purge upto ${formatLogId(command.upto)} (io ${command.ioSeq})`;
    case "saveCommitted":
      return `saveCommitted ${formatLogId(command.committed)}`;
    case "apply":
      return `apply ${command.since}..${command.upto}`;
    case "buildSnapshot":
      return "buildSnapshot";
    case "installSnapshot":
      return `installSnapshot up to ${formatLogId(command.meta.lastLogId)} after io ${command.afterIo}`;
    case "dropSnapshot":
      return "dropSnapshot";
    case "membershipChanged":
      return `membershipChanged #${command.requestId} at ${formatLogId(command.logId)}: ${voters(command.membership)}`;
    case "abandonChange":
      return `abandonChange #${command.requestId}`;
    case "acceptWrites":
      return `acceptWrites from ${command.firstIndex}`;
    case "refuseWrites":
      return `refuseWrites: ${refused(command.refusal)}`;
    case "abandonWrites":
      return `abandonWrites since ${command.since}`;
    case "readReady":
      return `readReady #${command.requestId} at ${formatLogId(command.readIndex)}`;
    case "refuseReads":
      return `refuseReads #${command.requestId}: ${refused(command.refusal)}`;
    case "sendReadIndex":
      return `sendReadIndex to n${command.to} for #${command.requestId} by ${command.policy}`;
    case "snapshotReady":
      return `snapshotReady #${command.requestId}`;
    case "reply":
      return `reply #${command.requestId} after io ${command.afterIo}: ${refused(command.refusal)}`;
    case "sendPreVote":
    case "sendVote": {
      const { term, lastLogId } = command.request;
      const wait = command.type === "sendVote" ? ` after io ${command.afterIo}` : "";
      const handed = command.type === "sendVote" && command.request.transfer ? ", handed over" : "";
      return `${command.type} to n${command.to} for T${term}, last log ${formatLogId(lastLogId)}${handed}${wait}`;
    }
    case "sendAppendEntries": {
      const { to, seq, term, prevLogId, upto, leaderCommit } = command;
      return `sendAppendEntries #${seq} to n${to} in T${term}, after ${formatLogId(prevLogId)}, ${range(prevLogId, upto)}, commit ${leaderCommit}`;
    }
    case "sendSnapshot":
      return `sendSnapshot #${command.seq} to n${command.to} in T${command.term}`;
    case "sendTimeoutNow":
      return `sendTimeoutNow to n${command.to} in T${command.request.term}, last log ${formatLogId(command.request.lastLogId)}`;
    case "receiveSnapshot":
      return `receiveSnapshot after io ${command.afterIo}`;
    case "answerInstallSnapshot":
      return `answerInstallSnapshot after io ${command.afterIo}: ${command.response.type} in T${command.response.term}`;
    case "answerTimeoutNow":
      return `answerTimeoutNow after io ${command.afterIo}: ${took(command.response)}`;
    case "answerPreVote":
    case "answerVote":
      return `${command.type} after io ${command.afterIo}: ${granted(command.response)}`;
    case "answerAppendEntries":
      return `answerAppendEntries after io ${command.afterIo}: ${appended(command.response)}`;
  }
}
