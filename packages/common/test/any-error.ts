import fc from "fast-check";
import type { SeshatError, SessionProblem, StorageVerb } from "../src/index.js";
import {
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
} from "../src/index.js";
import { anyLogId } from "./arbitraries.js";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("__proto__", "constructor", "\ud800"),
);
const number = fc.oneof(fc.double(), fc.integer());
const nodeId = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Number.MAX_SAFE_INTEGER));
const index = fc.maxSafeNat();
const options = fc.option(
  fc
    .oneof(
      text,
      text.map((message) => new Error(message)),
    )
    .map((cause) => ({ cause })),
  { nil: undefined },
);
const verb = fc.constantFrom<StorageVerb>("read vote", "save committed", "install snapshot", "append");
const problem = fc.constantFrom<SessionProblem>("expired", "malformed", "unsupported");

/** Errors of every class, by its name, with whatever their fields can hold. */
export const ANY_ERROR: Readonly<Record<string, fc.Arbitrary<SeshatError>>> = {
  AlreadyInitializedError: text.map((found) => new AlreadyInitializedError(found)),
  ChangeInProgressError: fc.option(anyLogId).map((logId) => new ChangeInProgressError(logId)),
  CodecError: fc.tuple(text, number, text).map((args) => new CodecError(...args)),
  ForeignNodeError: text.map((what) => new ForeignNodeError(what)),
  ForeignStoreError: fc
    .tuple(fc.constantFrom<"clusterId" | "nodeId">("clusterId", "nodeId"), text, text)
    .map((args) => new ForeignStoreError(...args)),
  InvalidChangeError: text.map((what) => new InvalidChangeError(what)),
  InvalidValueError: fc
    .tuple(text, fc.anything({ withBigInt: true }), text)
    .map((args) => new InvalidValueError(...args)),
  LearnerLaggingError: fc.tuple(nodeId, index, index).map((args) => new LearnerLaggingError(...args)),
  LearnerNotFoundError: nodeId.map((id) => new LearnerNotFoundError(id)),
  NotAMemberError: nodeId.map((id) => new NotAMemberError(id)),
  NotLeaderError: fc
    .tuple(fc.option(nodeId), fc.option(text.map((addr) => ({ addr }))))
    .map((args) => new NotLeaderError(...args)),
  OverloadedError: fc.tuple(text, number).map((args) => new OverloadedError(...args)),
  PreconditionFailedError: text.map((found) => new PreconditionFailedError(found)),
  QuorumNotEnoughError: fc.constant(new QuorumNotEnoughError()),
  RemoteError: fc.tuple(text, text, options).map((args) => new RemoteError(...args)),
  SessionError: fc.tuple(number, problem).map((args) => new SessionError(...args)),
  ShutdownError: fc.constant(new ShutdownError()),
  SnapshotOutdatedError: fc.tuple(anyLogId, anyLogId).map((args) => new SnapshotOutdatedError(...args)),
  StoppedError: text.map((message) => new StoppedError(new Error(message))),
  StorageError: fc.tuple(verb, text, options).map((args) => new StorageError(...args)),
  StorageStalledError: verb.map((what) => new StorageStalledError(what)),
  TimeoutError: fc.tuple(text, number).map((args) => new TimeoutError(...args)),
  TransferFailedError: fc
    .tuple(nodeId, fc.constantFrom<TransferFailedError["reason"]>("timeout", "otherLeader", "notAVoter"))
    .map((args) => new TransferFailedError(...args)),
  TransferInProgressError: nodeId.map((id) => new TransferInProgressError(id)),
  UnknownOutcomeError: fc.tuple(text, options).map((args) => new UnknownOutcomeError(...args)),
  UnreachableError: fc.tuple(nodeId, text, options).map((args) => new UnreachableError(...args)),
};
