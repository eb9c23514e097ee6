import type { AppendEntriesRequest, LogId, NodeId, PreVoteRequest, VoteRequest } from "@seshat/common";
import { InvalidValueError, checkInteger, checkNodeId } from "@seshat/common";

/**
 * Checks of what arrives from the network. A message that no correct peer can have sent is refused whole, with the field that
 * is wrong, and reaches no engine.
 */

function checkLogId(field: string, logId: LogId): void {
  checkInteger(`${field}.term`, logId?.term, 0);
  checkInteger(`${field}.index`, logId?.index, 0);
  if (logId.index === 0 && logId.term !== 0) throw new InvalidValueError(`${field}.term`, logId.term, "0 where the index is 0");
}

function checkPeer(field: string, id: NodeId, self: NodeId): void {
  checkNodeId(field, id);
  if (id === self) throw new InvalidValueError(field, id, "another node than the one addressed");
}

/** @throws {InvalidValueError} when no correct candidate can have sent it. */
export function checkVoteRequest(name: string, request: PreVoteRequest | VoteRequest, self: NodeId): void {
  checkInteger(`${name}.term`, request.term, 1);
  checkPeer(`${name}.candidateId`, request.candidateId, self);
  checkLogId(`${name}.lastLogId`, request.lastLogId);
  if (request.lastLogId.term > request.term) {
    throw new InvalidValueError(`${name}.lastLogId.term`, request.lastLogId.term, `at most the term ${request.term}`);
  }
}

/** @throws {InvalidValueError} when no correct leader can have sent it. */
export function checkAppendEntriesRequest(request: AppendEntriesRequest, self: NodeId): void {
  checkInteger("appendEntries.term", request.term, 1);
  checkPeer("appendEntries.leaderId", request.leaderId, self);
  checkLogId("appendEntries.prevLogId", request.prevLogId);
  checkInteger("appendEntries.leaderCommit", request.leaderCommit, 0);
  let previous = request.prevLogId;
  for (const { logId, payload } of request.entries) {
    if (logId.index !== previous.index + 1) {
      throw new InvalidValueError("appendEntries.entries", logId.index, `consecutive: index ${previous.index + 1} comes next`);
    }
    checkInteger("appendEntries.entries.term", logId.term, previous.term);
    if (payload.type !== "blank" && payload.type !== "normal" && payload.type !== "membership") {
      throw new InvalidValueError("appendEntries.entries.payload.type", (payload as { type: unknown }).type, "blank, normal or membership");
    }
    previous = logId;
  }
  if (previous.term > request.term) {
    throw new InvalidValueError("appendEntries.entries.term", previous.term, `at most the leader's term ${request.term}`);
  }
}
