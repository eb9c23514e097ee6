import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  EntryPayload,
  InstallSnapshotResponse,
  LogId,
  Membership,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  SnapshotMeta,
  StorageVerb,
  StoredMembership,
  TimeoutNowRequest,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";

/** The application founds a cluster. Answered by one `reply`. */
export interface InitializeEvent {
  readonly type: "initialize";
  readonly requestId: number;
  readonly membership: Membership<unknown>;
}

/** All writes submitted in one turn. Answered by one `acceptWrites` or `refuseWrites` for the lot. */
export interface ClientWriteEvent {
  readonly type: "clientWrite";
  /** At least one. */
  readonly payloads: readonly EntryPayload<unknown, unknown>[];
  /** Append only if all of this holds. */
  readonly expect?: WriteExpectation;
}

/** What a writer expects of the node that appends its command. */
export interface WriteExpectation {
  /** The term in which the node leads. */
  readonly leaderTerm?: number;
  /** The entry of the membership in force. */
  readonly membershipLogId?: LogId;
}

/** Reads want to know from which index on this node may serve them. Answered by a `readReady` or `refuseReads`. */
export interface ReadIndexEvent {
  readonly type: "readIndex";
  /** One id for all reads of a turn. */
  readonly requestId: number;
  /** Whether the leader may go by its lease, or has to ask a quorum. */
  readonly policy: ReadPolicy;
  /** True when a follower asks for its own readers: then only the leader answers. */
  readonly forwarded: boolean;
}

/** How a leader makes sure that it still leads, before a read. */
export type ReadPolicy = "readIndex" | "lease";

/** The leader answered a `sendReadIndex`, or not. */
export interface ReadIndexAnsweredEvent {
  readonly type: "readIndexAnswered";
  readonly requestId: number;
  /** From where on the reads may be served; null when there was no answer, or a refusal. */
  readonly readIndex: LogId | null;
}

/**
 * Somebody wants to change who belongs to the cluster. Answered by one `membershipChanged` once the whole change is committed,
 * by one `reply` with a refusal when nothing was appended, or by one `abandonChange` when this node stops leading before it knows.
 */
export interface ChangeMembershipEvent {
  readonly type: "changeMembership";
  readonly requestId: number;
  readonly change: MembershipChange<unknown>;
  /** True to keep voters that are removed as learners. */
  readonly retain: boolean;
  /** True to let nodes vote that do not answer, or are far behind. */
  readonly allowLagging: boolean;
  /** Change it only if all of this holds. */
  readonly expect?: WriteExpectation;
}

/** A change of who belongs to the cluster. What holds already stays as it is. */
export type MembershipChange<N> =
  /** These members vote, and nobody else. */
  | { readonly type: "replaceVoters"; readonly ids: readonly NodeId[] }
  /** These members vote too. */
  | { readonly type: "addVoters"; readonly ids: readonly NodeId[] }
  /** These do not vote any more. */
  | { readonly type: "removeVoters"; readonly ids: readonly NodeId[] }
  /** These become learners; members among them stay what they are, and where they are. */
  | { readonly type: "addNodes"; readonly nodes: readonly (readonly [NodeId, N])[] }
  /** These members are found there now; others become learners. */
  | { readonly type: "setNodes"; readonly nodes: readonly (readonly [NodeId, N])[] }
  /** These learners are no members any more. */
  | { readonly type: "removeNodes"; readonly ids: readonly NodeId[] }
  /** These are the members: voters among them go on voting, others of them are learners, and everybody else is gone. */
  | { readonly type: "replaceNodes"; readonly nodes: readonly (readonly [NodeId, N])[] }
  /** One after another, as one change. */
  | { readonly type: "batch"; readonly changes: readonly MembershipChange<N>[] };

/** An operator wants another node to lead. Answered by one `reply`, once it does or did not in time. */
export interface TransferLeaderEvent {
  readonly type: "transferLeader";
  readonly requestId: number;
  /** Null for the voter that has most of the log. */
  readonly target: NodeId | null;
  /** After this long the leader serves again, in milliseconds. */
  readonly timeoutMs: number;
}

/** The leader asks this node to take over. Answered by one `answerTimeoutNow`. */
export interface TimeoutNowRequestEvent {
  readonly type: "timeoutNowRequest";
  readonly rpcId: number;
  readonly request: TimeoutNowRequest;
}

/** The target of a transfer answered a `sendTimeoutNow`, or not. */
export interface TimeoutNowAnsweredEvent {
  readonly type: "timeoutNowAnswered";
  readonly from: NodeId;
  readonly requestTerm: number;
  /** The target's term; 0 when there was no answer. */
  readonly term: number;
  /** False also when there was no answer. */
  readonly accepted: boolean;
}

/** A leader sends a part of a snapshot. Answered by a `receiveSnapshot`, or by one `answerInstallSnapshot`. */
export interface InstallSnapshotRequestEvent {
  readonly type: "installSnapshotRequest";
  readonly rpcId: number;
  readonly term: number;
  readonly leaderId: NodeId;
  readonly meta: SnapshotMeta<unknown>;
}

/**
 * The whole content of a snapshot has come, from a leader or (with a `requestId`) by hand. Answered by `installSnapshot` or `dropSnapshot`.
 * While it is installed this node neither leads nor stands for election.
 */
export interface SnapshotReceivedEvent {
  readonly type: "snapshotReceived";
  readonly meta: SnapshotMeta<unknown>;
  /** Answered by one `reply`; null when nobody waits. */
  readonly requestId: number | null;
}

/** The state machine holds the snapshot that `installSnapshot` named, and nothing of before; or, with `installed` false, it could not be read and all is as before. */
export interface SnapshotInstalledEvent {
  readonly type: "snapshotInstalled";
  readonly lastLogId: LogId;
  readonly lastMembership: StoredMembership<unknown>;
  readonly installed: boolean;
}

/** A follower holds all of the snapshot that a `sendSnapshot` was about, or does not follow. */
export interface InstallSnapshotResponseEvent {
  readonly type: "installSnapshotResponse";
  readonly from: NodeId;
  readonly requestTerm: number;
  /** Which `sendSnapshot` it answers. */
  readonly seq: number;
  /** The last entry that the snapshot holds. */
  readonly lastLogId: LogId;
  readonly response: Exclude<InstallSnapshotResponse, { readonly type: "progress" }>;
  /** The store that the peer runs on; 0 when it does not say. */
  readonly incarnation: number;
}

/** A snapshot did not get through: no progress for too long, or there was none to send. */
export interface InstallSnapshotFailedEvent {
  readonly type: "installSnapshotFailed";
  readonly from: NodeId;
  readonly requestTerm: number;
  readonly seq: number;
}

/** An operator turns something on or off, or changes when snapshots are taken. What is left out stays. */
export interface ConfigureEvent {
  readonly type: "configure";
  readonly switches: Partial<EngineSwitches>;
}

/** What can be changed while a node runs. */
export interface EngineSwitches {
  /** False: time stands still for this node, and it does nothing by itself. What a caller gave a time ends with that all the same. */
  readonly tick: boolean;
  /** False: as leader it sends no heartbeats, only entries. */
  readonly heartbeat: boolean;
  /** False: it does not stand for election by itself. */
  readonly elect: boolean;
  /** False: it stands without asking first whether it would win. */
  readonly preVote: boolean;
  /** Entries applied since the last snapshot that call for the next; null for no such bound. */
  readonly snapshotAfterEntries: number | null;
  /** Bytes of commands applied since the last snapshot that call for the next; null for no such bound. */
  readonly snapshotAfterBytes: number | null;
}

/** Storage has not ended what it does for too long (`verb` says what), or it has at last (null). */
export interface StorageStalledEvent {
  readonly type: "storageStalled";
  readonly verb: StorageVerb | null;
}

/** Nothing carried the news for a moment: who has not heard yet what is committed is told. See `CommitNews`. */
export interface TellCommitEvent {
  readonly type: "tellCommit";
}

/** The clock reached `nextDeadline()`, or may have. */
export interface TimerEvent {
  readonly type: "timer";
}

/** An operator asks this node to stand for election now. A leader ignores it, and who may not stand. */
export interface ElectEvent {
  readonly type: "elect";
}

/** An operator or the application asks for a snapshot of everything applied so far. Answered by one `snapshotReady`. */
export interface TakeSnapshotEvent {
  readonly type: "takeSnapshot";
  readonly requestId: number;
}

/** An operator asks for the log up to `upto` to be purged, as far as the snapshot allows. */
export interface PurgeLogEvent {
  readonly type: "purgeLog";
  readonly upto: number;
}

/** Every write up to and including `ioSeq` is durable. */
export interface PersistedEvent {
  readonly type: "persisted";
  readonly ioSeq: number;
}

/** The state machine has applied everything up to `logId`. */
export interface AppliedEvent {
  readonly type: "applied";
  readonly logId: LogId;
  /** What the commands that were applied count in bytes; measured where the snapshot policy asks. */
  readonly bytes: number;
}

/** The snapshot that `buildSnapshot` asked for is kept. */
export interface SnapshotBuiltEvent {
  readonly type: "snapshotBuilt";
  readonly lastLogId: LogId;
}

/** A peer asks whether it would win an election. Answered by one `answerPreVote`. */
export interface PreVoteRequestEvent {
  readonly type: "preVoteRequest";
  readonly rpcId: number;
  readonly request: PreVoteRequest;
}

/** A candidate asks for a vote. Answered by one `answerVote`. */
export interface VoteRequestEvent {
  readonly type: "voteRequest";
  readonly rpcId: number;
  readonly request: VoteRequest;
}

/** A leader replicates. Answered by one `answerAppendEntries`. */
export interface AppendEntriesRequestEvent {
  readonly type: "appendEntriesRequest";
  readonly rpcId: number;
  readonly request: AppendEntriesRequest;
}

/** A peer answered a pre-vote request of this node. */
export interface PreVoteResponseEvent {
  readonly type: "preVoteResponse";
  readonly from: NodeId;
  /** The term that was asked about, to tell an old answer from a new one. */
  readonly requestTerm: number;
  readonly response: PreVoteResponse;
}

/** A peer answered a vote request of this node. */
export interface VoteResponseEvent {
  readonly type: "voteResponse";
  readonly from: NodeId;
  readonly requestTerm: number;
  readonly response: VoteResponse;
}

/** A peer answered an AppendEntries request of this node. */
export interface AppendEntriesResponseEvent {
  readonly type: "appendEntriesResponse";
  readonly from: NodeId;
  readonly requestTerm: number;
  /** Which `sendAppendEntries` it answers. */
  readonly seq: number;
  readonly response: AppendEntriesResponse;
  /** The store that the peer runs on; 0 when it does not say. */
  readonly incarnation: number;
}

/** An AppendEntries request of this node got no answer: the peer may or may not have seen it. */
export interface AppendEntriesFailedEvent {
  readonly type: "appendEntriesFailed";
  readonly from: NodeId;
  readonly requestTerm: number;
  readonly seq: number;
}

/** Everything that can happen to an engine. Plain data: a recorded list of them replays a run. */
export type Event =
  | InitializeEvent
  | ClientWriteEvent
  | ReadIndexEvent
  | ReadIndexAnsweredEvent
  | ChangeMembershipEvent
  | TransferLeaderEvent
  | TimeoutNowRequestEvent
  | TimeoutNowAnsweredEvent
  | InstallSnapshotRequestEvent
  | SnapshotReceivedEvent
  | SnapshotInstalledEvent
  | InstallSnapshotResponseEvent
  | InstallSnapshotFailedEvent
  | ConfigureEvent
  | StorageStalledEvent
  | TellCommitEvent
  | TimerEvent
  | ElectEvent
  | TakeSnapshotEvent
  | PurgeLogEvent
  | PersistedEvent
  | AppliedEvent
  | SnapshotBuiltEvent
  | PreVoteRequestEvent
  | VoteRequestEvent
  | AppendEntriesRequestEvent
  | PreVoteResponseEvent
  | VoteResponseEvent
  | AppendEntriesResponseEvent
  | AppendEntriesFailedEvent;
