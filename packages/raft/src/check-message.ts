import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  EntryPayload,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogEntry,
  LogId,
  Membership,
  NodeId,
  PreVoteRequest,
  ReadIndexRequest,
  ReadIndexResponse,
  SessionCommand,
  StoredMembership,
  TimeoutNowRequest,
  TimeoutNowResponse,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import { InvalidValueError, checkInteger, checkNodeId } from "@seshat/common";

/**
 * Checks of what arrives from the network, requests and answers alike. A message that no correct peer can have sent
 * is refused whole, with the field that is wrong, and reaches no engine.
 */

/** @throws {InvalidValueError} when it is none. */
export function checkObject(field: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw new InvalidValueError(field, value, "an object");
}

/** @throws {InvalidValueError} when no entry can have it. */
export function checkLogId(field: string, logId: LogId): void {
  // The names of the fields are made only where one is wrong.
  if (
    logId?.index > 0 &&
    Number.isSafeInteger(logId.index) &&
    logId.term >= 0 &&
    Number.isSafeInteger(logId.term)
  )
    return;
  checkInteger(`${field}.term`, logId?.term, 0);
  checkInteger(`${field}.index`, logId?.index, 0);
  if (logId.index === 0 && logId.term !== 0) {
    throw new InvalidValueError(`${field}.term`, logId.term, "0 where the index is 0");
  }
}

function checkPeer(field: string, id: NodeId, self: NodeId): void {
  checkNodeId(field, id);
  if (id === self) throw new InvalidValueError(field, id, "another node than the one addressed");
}

/** @throws {InvalidValueError} when no correct candidate can have sent it. */
export function checkVoteRequest(name: string, request: PreVoteRequest | VoteRequest, self: NodeId): void {
  checkObject(name, request);
  // In term 0 founders vote for the one that founds the cluster, all of them without a log.
  checkInteger(`${name}.term`, request.term, name === "vote" && request.lastLogId?.index === 0 ? 0 : 1);
  checkPeer(`${name}.candidateId`, request.candidateId, self);
  checkLogId(`${name}.lastLogId`, request.lastLogId);
  if (request.lastLogId.term > request.term) {
    throw new InvalidValueError(
      `${name}.lastLogId.term`,
      request.lastLogId.term,
      `at most the term ${request.term}`,
    );
  }
  if (name === "vote" && typeof (request as VoteRequest).transfer !== "boolean") {
    throw new InvalidValueError("vote.transfer", (request as VoteRequest).transfer, "true or false");
  }
}

/** @throws {InvalidValueError} when no correct leader can have sent it. */
export function checkAppendEntriesRequest(request: AppendEntriesRequest, self: NodeId): void {
  checkObject("appendEntries", request);
  checkInteger("appendEntries.term", request.term, 1);
  checkPeer("appendEntries.leaderId", request.leaderId, self);
  checkLogId("appendEntries.prevLogId", request.prevLogId);
  checkInteger("appendEntries.leaderCommit", request.leaderCommit, 0);
  if (!Array.isArray(request.entries)) {
    throw new InvalidValueError("appendEntries.entries", request.entries, "an array of entries");
  }
  let { term, index } = request.prevLogId;
  const entries: readonly LogEntry<unknown, unknown>[] = request.entries;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as LogEntry<unknown, unknown>;
    checkEntry(entry, term, index);
    ({ term, index } = entry.logId);
  }
  if (term > request.term) {
    throw new InvalidValueError(
      "appendEntries.entries.term",
      term,
      `at most the leader's term ${request.term}`,
    );
  }
}

/** The entry follows on that of `previousTerm` at `previousIndex`. */
function checkEntry(entry: LogEntry<unknown, unknown>, previousTerm: number, previousIndex: number): void {
  const index = checkInteger("appendEntries.entries.index", entry?.logId?.index, 1);
  if (index !== previousIndex + 1) {
    throw new InvalidValueError(
      "appendEntries.entries.index",
      index,
      `consecutive: index ${previousIndex + 1} comes next`,
    );
  }
  checkInteger("appendEntries.entries.term", entry.logId.term, previousTerm);
  checkPayload("appendEntries.entries.payload", entry.payload);
}

/** Commands and sessions are judged by the state machine, the same on every node; a membership acts before it is applied. */
function checkPayload(field: string, payload: EntryPayload<unknown, unknown>): void {
  checkObject(field, payload);
  switch (payload.type) {
    case "blank":
    case "normal":
    case "openSession":
      return;
    case "membership":
      checkMembership(`${field}.membership`, payload.membership);
      return;
    default: {
      const { type }: { type: unknown } = payload satisfies never;
      throw new InvalidValueError(`${field}.type`, type, "a type of payload that this version knows");
    }
  }
}

/** @throws {InvalidValueError} when it names no command of a session. */
export function checkSession(field: string, session: SessionCommand | undefined): void {
  if (session === undefined) return;
  checkObject(field, session);
  checkInteger(`${field}.sessionId`, session.sessionId, 1);
  checkInteger(`${field}.sequence`, session.sequence, 1);
  checkInteger(`${field}.answeredBelow`, session.answeredBelow, 1);
}

function checkMembership(field: string, membership: Membership<unknown>): void {
  checkObject(field, membership);
  const { configs, nodes, leaving, incarnations } = membership;
  if (!(nodes instanceof Map)) throw new InvalidValueError(`${field}.nodes`, nodes, "a map of members");
  for (const id of nodes.keys()) checkNodeId(`${field}.nodes`, id);
  const count = Array.isArray(configs) ? configs.length : 0;
  if (count < 1 || count > 2) {
    throw new InvalidValueError(`${field}.configs`, configs, "one set of voters, or two while joint");
  }
  for (const voters of configs) {
    const isSet = Array.isArray(voters) && voters.length > 0 && new Set(voters).size === voters.length;
    if (!isSet || !voters.every((id) => nodes.has(id))) {
      throw new InvalidValueError(
        `${field}.configs`,
        configs,
        "sets of at least one voter, each a member, none twice",
      );
    }
  }
  const [outgoing, incoming] = configs.map((voters) => new Set(voters));
  const mayLeave = (id: NodeId): boolean =>
    incoming !== undefined && outgoing?.has(id) === true && !incoming.has(id);
  if (!Array.isArray(leaving) || !leaving.every(mayLeave)) {
    throw new InvalidValueError(`${field}.leaving`, leaving, "voters of the outgoing set alone");
  }
  if (!(incarnations instanceof Map)) {
    throw new InvalidValueError(`${field}.incarnations`, incarnations, "a map of the voters' stores");
  }
  for (const [id, incarnation] of incarnations) {
    checkNodeId(`${field}.incarnations`, id);
    checkInteger(`${field}.incarnations`, incarnation, 1);
  }
}

/** @throws {InvalidValueError} when no correct peer can have answered so to a pre-vote or a vote request. */
export function checkVoteResponse(response: VoteResponse): void {
  checkObject("answer", response);
  checkInteger("answer.term", response.term, 0);
  if (typeof response.granted !== "boolean") {
    throw new InvalidValueError("answer.granted", response.granted, "true or false");
  }
}

/** @throws {InvalidValueError} when no correct leader can have sent it. */
export function checkInstallSnapshotRequest(request: InstallSnapshotRequest, self: NodeId): void {
  checkObject("installSnapshot", request);
  checkInteger("installSnapshot.term", request.term, 1);
  checkPeer("installSnapshot.leaderId", request.leaderId, self);
  checkSnapshotMeta("installSnapshot.meta", request.meta);
  if (request.meta.lastLogId.term > request.term) {
    throw new InvalidValueError(
      "installSnapshot.meta.lastLogId.term",
      request.meta.lastLogId.term,
      `at most the leader's term ${request.term}`,
    );
  }
  const size = checkInteger("installSnapshot.size", request.size, 0);
  const offset = checkInteger("installSnapshot.offset", request.offset, 0);
  if (!(request.data instanceof Uint8Array))
    throw new InvalidValueError("installSnapshot.data", request.data, "bytes");
  if (offset + request.data.length > size) {
    throw new InvalidValueError("installSnapshot.offset", offset, `within the ${size} bytes of the content`);
  }
}

const MAX_SNAPSHOT_ID_LENGTH = 256;

/** @throws {InvalidValueError} when no snapshot can have it. */
export function checkSnapshotMeta(
  field: string,
  meta: {
    readonly lastLogId: LogId;
    readonly lastMembership: StoredMembership<unknown>;
    readonly snapshotId: string;
  },
): void {
  checkObject(field, meta);
  checkLogId(`${field}.lastLogId`, meta.lastLogId);
  checkInteger(`${field}.lastLogId.index`, meta.lastLogId.index, 1);
  checkObject(`${field}.lastMembership`, meta.lastMembership);
  checkLogId(`${field}.lastMembership.logId`, meta.lastMembership.logId);
  if (meta.lastMembership.logId.index > meta.lastLogId.index) {
    throw new InvalidValueError(
      `${field}.lastMembership.logId.index`,
      meta.lastMembership.logId.index,
      `at most that of lastLogId, ${meta.lastLogId.index}`,
    );
  }
  if (meta.lastMembership.logId.term > meta.lastLogId.term) {
    throw new InvalidValueError(
      `${field}.lastMembership.logId.term`,
      meta.lastMembership.logId.term,
      `at most that of lastLogId, ${meta.lastLogId.term}`,
    );
  }
  checkMembership(`${field}.lastMembership.membership`, meta.lastMembership.membership);
  const { snapshotId } = meta;
  if (typeof snapshotId !== "string" || snapshotId.length > MAX_SNAPSHOT_ID_LENGTH) {
    throw new InvalidValueError(
      `${field}.snapshotId`,
      snapshotId,
      `a text of at most ${MAX_SNAPSHOT_ID_LENGTH} characters`,
    );
  }
}

/** @throws {InvalidValueError} when no correct follower can have answered so to a part of a snapshot. */
export function checkInstallSnapshotResponse(response: InstallSnapshotResponse): void {
  checkObject("answer", response);
  checkInteger("answer.term", response.term, 0);
  switch (response.type) {
    case "progress":
      checkInteger("answer.nextOffset", response.nextOffset, 0);
      break;
    case "installed":
    case "refused":
      break;
    default: {
      const { type }: { type: unknown } = response satisfies never;
      throw new InvalidValueError("answer.type", type, "progress, installed or refused");
    }
  }
}

/** @throws {InvalidValueError} when no correct leader can have sent it. */
export function checkTimeoutNowRequest(request: TimeoutNowRequest, self: NodeId): void {
  checkObject("timeoutNow", request);
  checkInteger("timeoutNow.term", request.term, 1);
  checkPeer("timeoutNow.leaderId", request.leaderId, self);
  checkLogId("timeoutNow.lastLogId", request.lastLogId);
}

/** @throws {InvalidValueError} when no correct voter can have answered so. */
export function checkTimeoutNowResponse(response: TimeoutNowResponse): void {
  checkObject("answer", response);
  checkInteger("answer.term", response.term, 0);
  if (typeof response.accepted !== "boolean") {
    throw new InvalidValueError("answer.accepted", response.accepted, "true or false");
  }
}

/** @throws {InvalidValueError} when no correct follower can have sent it. */
export function checkReadIndexRequest(request: ReadIndexRequest): void {
  checkObject("readIndex", request);
  if (typeof request.lease !== "boolean") {
    throw new InvalidValueError("readIndex.lease", request.lease, "true or false");
  }
}

/** @throws {InvalidValueError} when no correct peer can have answered so to a read index request. */
export function checkReadIndexResponse(response: ReadIndexResponse): void {
  checkObject("answer", response);
  if (response.readIndex !== null) checkLogId("answer.readIndex", response.readIndex);
}

/** @throws {InvalidValueError} when no correct peer can have answered so to an AppendEntries request. */
export function checkAppendEntriesResponse(response: AppendEntriesResponse): void {
  checkObject("answer", response);
  checkInteger("answer.term", response.term, 0);
  switch (response.type) {
    case "success":
      checkInteger("answer.matchIndex", response.matchIndex, 0);
      break;
    case "conflict":
      checkLogId("answer.hint", response.hint);
      break;
    case "refused":
      break;
    default: {
      const { type }: { type: unknown } = response satisfies never;
      throw new InvalidValueError("answer.type", type, "success, conflict or refused");
    }
  }
}
