import type * as errors from "../errors.js";
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
} from "../errors.js";
import type { SessionProblem, SeshatError, StorageVerb } from "../errors.js";
import { Shown } from "./show.js";
import type { FieldCodec } from "./wire-fields.js";
import { logId, node, nodeId, nullable, number, oneOf, position, text } from "./wire-fields.js";

/** What an error class adds to every error. */
type OwnField<E extends SeshatError> = Exclude<keyof E, keyof SeshatError>;

/** What came beside the fields. */
export interface Said {
  readonly message: string;
  /** The text of the cause, if there was one. */
  readonly options: { readonly cause: string } | undefined;
}

/** How the errors of one class travel: every field has its codec. */
export interface Row<E extends SeshatError> {
  readonly type: abstract new (...args: never) => E;
  readonly fields: { readonly [K in OwnField<E>]: FieldCodec<E[K]> };
  revive(fields: Pick<E, OwnField<E>>, said: Said): E;
}

type Errors = typeof errors;

/** The errors of every class, except the base, whose code may be any. */
type AnyError = {
  [Name in keyof Errors]: Errors[Name] extends abstract new (...args: never) => infer E
    ? E extends SeshatError
      ? string extends E["code"]
        ? never
        : E
      : never
    : never;
}[keyof Errors];

const storageVerb: FieldCodec<StorageVerb> = oneOf<StorageVerb>({
  "read identity": true,
  "save identity": true,
  "read vote": true,
  "save vote": true,
  "read log": true,
  append: true,
  truncate: true,
  purge: true,
  "save committed": true,
  apply: true,
  "read snapshot": true,
  "build snapshot": true,
  "receive snapshot": true,
  "install snapshot": true,
});

const sessionProblem: FieldCodec<SessionProblem> = oneOf<SessionProblem>({
  expired: true,
  alreadyAnswered: true,
  tooManyUnanswered: true,
  malformed: true,
  unsupported: true,
});

const transferReason: FieldCodec<TransferFailedError["reason"]> = oneOf<TransferFailedError["reason"]>({
  timeout: true,
  otherLeader: true,
  notAVoter: true,
});

const storeField: FieldCodec<ForeignStoreError["field"]> = oneOf<ForeignStoreError["field"]>({
  clusterId: true,
  nodeId: true,
});

/** By code. An error class without a row here, or a field of one without a codec, does not compile. */
export const WIRE_TABLE: { readonly [E in AnyError as E["code"]]: Row<E> } = {
  alreadyInitialized: {
    type: AlreadyInitializedError,
    fields: { found: text },
    revive: ({ found }) => new AlreadyInitializedError(found),
  },
  changeInProgress: {
    type: ChangeInProgressError,
    fields: { membershipLogId: nullable(logId) },
    revive: ({ membershipLogId }) => new ChangeInProgressError(membershipLogId),
  },
  codec: {
    type: CodecError,
    fields: { format: text, offset: number, problem: text },
    revive: ({ format, offset, problem }) => new CodecError(format, offset, problem),
  },
  foreignNode: {
    type: ForeignNodeError,
    fields: { problem: text },
    revive: ({ problem }) => new ForeignNodeError(problem),
  },
  foreignStore: {
    type: ForeignStoreError,
    fields: { field: storeField, found: text, expected: text },
    revive: ({ field, found, expected }) => new ForeignStoreError(field, found, expected),
  },
  invalidChange: {
    type: InvalidChangeError,
    fields: { problem: text },
    revive: ({ problem }) => new InvalidChangeError(problem),
  },
  invalidValue: {
    type: InvalidValueError,
    fields: { field: text, found: text, expected: text },
    revive: ({ field, found, expected }) => new InvalidValueError(field, new Shown(found), expected),
  },
  learnerLagging: {
    type: LearnerLaggingError,
    fields: { nodeId, matchIndex: position, lastIndex: position },
    revive: (fields) => new LearnerLaggingError(fields.nodeId, fields.matchIndex, fields.lastIndex),
  },
  learnerNotFound: {
    type: LearnerNotFoundError,
    fields: { nodeId },
    revive: (fields) => new LearnerNotFoundError(fields.nodeId),
  },
  notAMember: {
    type: NotAMemberError,
    fields: { nodeId },
    revive: (fields) => new NotAMemberError(fields.nodeId),
  },
  notLeader: {
    type: NotLeaderError,
    fields: { leaderId: nullable(nodeId), leaderNode: nullable(node) },
    revive: ({ leaderId, leaderNode }) => new NotLeaderError(leaderId, leaderNode),
  },
  overloaded: {
    type: OverloadedError,
    fields: { what: text, limit: number },
    revive: ({ what, limit }) => new OverloadedError(what, limit),
  },
  preconditionFailed: {
    type: PreconditionFailedError,
    fields: { found: text },
    revive: ({ found }) => new PreconditionFailedError(found),
  },
  quorumNotEnough: {
    type: QuorumNotEnoughError,
    fields: {},
    revive: () => new QuorumNotEnoughError(),
  },
  remote: {
    type: RemoteError,
    fields: { remoteCode: text },
    revive: ({ remoteCode }, { message, options }) => new RemoteError(remoteCode, message, options),
  },
  session: {
    type: SessionError,
    fields: { sessionId: number, problem: sessionProblem },
    revive: ({ sessionId, problem }) => new SessionError(sessionId, problem),
  },
  shutdown: {
    type: ShutdownError,
    fields: {},
    revive: () => new ShutdownError(),
  },
  snapshotOutdated: {
    type: SnapshotOutdatedError,
    fields: { snapshot: logId, committed: logId },
    revive: ({ snapshot, committed }) => new SnapshotOutdatedError(snapshot, committed),
  },
  stopped: {
    type: StoppedError,
    fields: { why: text },
    revive: ({ why }) => new StoppedError(why),
  },
  storage: {
    type: StorageError,
    fields: { verb: storageVerb, problem: text },
    revive: ({ verb, problem }, { options }) => new StorageError(verb, problem, options),
  },
  storageStalled: {
    type: StorageStalledError,
    fields: { verb: storageVerb },
    revive: ({ verb }) => new StorageStalledError(verb),
  },
  timeout: {
    type: TimeoutError,
    fields: { waitingFor: text, timeoutMs: number },
    revive: ({ waitingFor, timeoutMs }) => new TimeoutError(waitingFor, timeoutMs),
  },
  transferFailed: {
    type: TransferFailedError,
    fields: { target: nodeId, reason: transferReason },
    revive: ({ target, reason }) => new TransferFailedError(target, reason),
  },
  transferInProgress: {
    type: TransferInProgressError,
    fields: { target: nodeId },
    revive: ({ target }) => new TransferInProgressError(target),
  },
  unknownOutcome: {
    type: UnknownOutcomeError,
    fields: { why: text },
    revive: ({ why }, { options }) => new UnknownOutcomeError(why, options),
  },
  unreachable: {
    type: UnreachableError,
    fields: { target: nodeId, why: text },
    revive: ({ target, why }, { options }) => new UnreachableError(target, why, options),
  },
};
