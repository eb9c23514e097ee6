/** The shared words of Seshat: ids, votes, memberships, entries, snapshots, messages and errors. */
export type { AsyncRuntime, Timer } from "./async-runtime.js";
export { checkInteger, checkNodeId } from "./check.js";
export {
  AlreadyInitializedError,
  ChangeInProgressError,
  CodecError,
  ForeignNodeError,
  ForeignStoreError,
  InvalidChangeError,
  InvalidValueError,
  LearnerLaggingError,
  LearnerNotFoundError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  RemoteError,
  SeshatError,
  SessionError,
  ShutdownError,
  SnapshotOutdatedError,
  StoppedError,
  StorageError,
  StorageStalledError,
  TimeoutError,
  TransferFailedError,
  TransferInProgressError,
  UnknownOutcomeError,
  UnreachableError,
} from "./errors.js";
export type { SessionProblem, StorageVerb } from "./errors.js";
export { decodeError, encodeError } from "./errors/wire.js";
export type { WireError } from "./errors/wire.js";
export type { WireValue } from "./errors/wire-fields.js";
export type { StoreIdentity } from "./identity.js";
export { silentLogger } from "./instrumentation.js";
export type { LogFields, LogLevel, Logger, Span, Tracer } from "./instrumentation.js";
export { LatencyHistogram } from "./latency-histogram.js";
export { BLANK_PAYLOAD } from "./log-entry.js";
export type {
  BlankPayload,
  EntryPayload,
  LogEntry,
  MembershipPayload,
  NormalPayload,
  OpenSessionPayload,
  SessionCommand,
} from "./log-entry.js";
export { ZERO_LOG_ID, compareLogIds, equalLogIds, formatLogId } from "./log-id.js";
export type { LogId } from "./log-id.js";
export {
  EMPTY_MEMBERSHIP,
  EMPTY_STORED_MEMBERSHIP,
  createMembership,
  isJoint,
  isVoter,
  learnerIds,
  leaveJoint,
  voterIds,
} from "./membership.js";
export type { Membership, MembershipDetails, StoredMembership } from "./membership.js";
export type {
  AppendEntriesConflict,
  AppendEntriesRefused,
  AppendEntriesRequest,
  AppendEntriesResponse,
  AppendEntriesSuccess,
  InstallSnapshotDone,
  InstallSnapshotProgress,
  InstallSnapshotRefused,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  PreVoteRequest,
  PreVoteResponse,
  ReadIndexRequest,
  ReadIndexResponse,
  RequestHeader,
  ResponseHeader,
  RpcRequest,
  RpcResponse,
  TimeoutNowRequest,
  TimeoutNowResponse,
  VoteRequest,
  VoteResponse,
} from "./messages.js";
export type { BasicNode, NodeId } from "./node.js";
export { OLD_NODE_EXIT, oldNode } from "./node-release.js";
export type { RaftTypeConfig, TypeConfig } from "./raft-type-config.js";
export type { BytesTypeConfig, CommandError, Request, Response } from "./request.js";
export type { Snapshot, SnapshotData, SnapshotMeta } from "./snapshot.js";
export { ZERO_VOTE, equalVotes, formatVote, voteMayBecome } from "./vote.js";
export type { Vote } from "./vote.js";
