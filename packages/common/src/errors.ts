/** Every error of this package, room by room. */
export {
  NotLeaderError,
  QuorumNotEnoughError,
  TransferFailedError,
  TransferInProgressError,
} from "./errors/leadership.js";
export { ShutdownError, StoppedError, TimeoutError } from "./errors/lifecycle.js";
export {
  AlreadyInitializedError,
  ChangeInProgressError,
  InvalidChangeError,
  LearnerLaggingError,
  LearnerNotFoundError,
  NotAMemberError,
} from "./errors/membership.js";
export { ForeignNodeError, RemoteError, UnreachableError } from "./errors/network.js";
export { SeshatError } from "./errors/seshat-error.js";
export {
  ForeignStoreError,
  SnapshotOutdatedError,
  StorageError,
  StorageStalledError,
} from "./errors/storage.js";
export type { StorageVerb } from "./errors/storage.js";
export { CodecError, InvalidValueError } from "./errors/values.js";
export {
  OverloadedError,
  PreconditionFailedError,
  SessionError,
  UnknownOutcomeError,
} from "./errors/writes.js";
export type { SessionProblem } from "./errors/writes.js";
