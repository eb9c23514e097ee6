/** Storage for Seshat: the traits, and an implementation of them in memory. */
export { KeyValueStateMachine } from "./kv/key-value-state-machine.js";
export { DEFAULT_OPERATION_LIMITS, OperationTooLargeError, checkOperation } from "./kv/operation.js";
export type { DelOperation, Operation, OperationLimits, SetOperation } from "./kv/operation.js";
export { decodeOperation, encodeOperation } from "./kv/operation-codec.js";
export type { MemLogView } from "./mem/mem-log.js";
export { MemSnapshotData } from "./mem/mem-snapshot-data.js";
export { OpenRaftMemStorage } from "./mem/open-raft-mem-storage.js";
export { OpenRaftStateMachine } from "./mem/open-raft-state-machine.js";
export type { ResponseCodec } from "./sessions/response-codec.js";
export { SessionRefusal } from "./sessions/session-refusal.js";
export type { StateCapture, StateMachine } from "./state-machine.js";
export type { MaybePromise } from "./traits/maybe-promise.js";
export type { RaftLogReader } from "./traits/raft-log-reader.js";
export type { RaftSnapshotBuilder } from "./traits/raft-snapshot-builder.js";
export type {
  AppliedState,
  ApplyResponse,
  RaftStateMachine,
  SnapshotSink,
} from "./traits/raft-state-machine.js";
export type { IoCompletion, LogState, RaftStorage } from "./traits/raft-storage.js";
