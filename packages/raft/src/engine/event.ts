import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  EntryPayload,
  LogId,
  Membership,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
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

/** The clock reached `nextDeadline()`, or may have. */
export interface TimerEvent {
  readonly type: "timer";
}

/** An operator asks this node to stand for election now. A leader and a learner ignore it. */
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
