/** Storage for Seshat: the traits, and an implementation of them in memory. */
export type { StateCapture, StateMachine } from "./state-machine.js";
export type { MaybePromise } from "./traits/maybe-promise.js";
export type { RaftLogReader } from "./traits/raft-log-reader.js";
export type { RaftSnapshotBuilder } from "./traits/raft-snapshot-builder.js";
export type { AppliedState, RaftStateMachine } from "./traits/raft-state-machine.js";
export type { IoCompletion, LogState, RaftStorage } from "./traits/raft-storage.js";
