import type {
  AppendEntriesResponse,
  InstallSnapshotResponse,
  LogEntry,
  LogId,
  Membership,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  SnapshotMeta,
  StorageVerb,
  TimeoutNowRequest,
  TimeoutNowResponse,
  Vote,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import type { ReadPolicy } from "./event.js";

/**
 * Why a request was not carried out. A refused write was certainly not appended.
 */
export type Refusal =
  | { readonly code: "notLeader"; readonly leaderId: NodeId | null }
  /** This node led, and no quorum answers it any more. */
  | { readonly code: "quorumNotEnough" }
  /** Too many entries are waiting to be committed. */
  | { readonly code: "overloaded"; readonly limit: number }
  /** The leader or the membership is not the one that the writer expected. */
  | { readonly code: "preconditionFailed"; readonly found: string }
  /** Another membership change is not finished: the entry of it, or null while it waits to begin. */
  | { readonly code: "changeInProgress"; readonly logId: LogId | null }
  | { readonly code: "invalidChange"; readonly problem: string }
  | { readonly code: "learnerNotFound"; readonly nodeId: NodeId }
  | {
      readonly code: "learnerLagging";
      readonly nodeId: NodeId;
      readonly matchIndex: number;
      readonly lastIndex: number;
    }
  /** The leader hands over to `target`. */
  | { readonly code: "transferInProgress"; readonly target: NodeId }
  | {
      readonly code: "transferFailed";
      readonly target: NodeId;
      readonly reason: "timeout" | "otherLeader" | "notAVoter";
    }
  | { readonly code: "snapshotOutdated"; readonly snapshot: LogId; readonly committed: LogId }
  /** Storage hangs while it is at `verb`. */
  | { readonly code: "storageStalled"; readonly verb: StorageVerb }
  | { readonly code: "alreadyInitialized"; readonly found: string }
  | { readonly code: "notAMember" };

// Durable writes. They are carried out one after another in the order of `ioSeq`; `persisted` reports the
// last one that is durable together with all before it.

/** Save the vote. */
export interface SaveVoteCommand {
  readonly type: "saveVote";
  readonly ioSeq: number;
  readonly vote: Vote;
}

/** Append entries (at least one) to the log. */
export interface AppendCommand {
  readonly type: "append";
  readonly ioSeq: number;
  readonly entries: readonly LogEntry<unknown, unknown>[];
}

/** Remove the entries from index `since` on, inclusive. */
export interface TruncateCommand {
  readonly type: "truncate";
  readonly ioSeq: number;
  readonly since: number;
}

/** Remove the entries up to `upto`, inclusive: the snapshot holds their effect. */
export interface PurgeCommand {
  readonly type: "purge";
  readonly ioSeq: number;
  readonly upto: LogId;
}

/** Keep a hint of how far the log is committed; nothing waits for it. */
export interface SaveCommittedCommand {
  readonly type: "saveCommitted";
  readonly committed: LogId;
}

// The state machine.

/** Apply the entries from `since` to `upto`, inclusive. They are committed, and durable on this node. */
export interface ApplyCommand {
  readonly type: "apply";
  readonly since: number;
  readonly upto: number;
}

/** Build a snapshot of the state after every apply asked for so far. */
export interface BuildSnapshotCommand {
  readonly type: "buildSnapshot";
}

/**
 * Install the snapshot that was received, after every apply asked for so far. Nothing more is asked to be applied until
 * `snapshotInstalled`.
 */
export interface InstallSnapshotCommand {
  readonly type: "installSnapshot";
  readonly meta: SnapshotMeta<unknown>;
  /** Do not begin before this write is durable: the term of its last entry must not be later than the vote's, at any restart. */
  readonly afterIo: number;
}

/** The snapshot that was received is not needed: forget it. */
export interface DropSnapshotCommand {
  readonly type: "dropSnapshot";
}

// Answers to the application.

/** The writes of the current `clientWrite` became the entries from `firstIndex` on. */
export interface AcceptWritesCommand {
  readonly type: "acceptWrites";
  readonly firstIndex: number;
}

/** None of the writes of the current `clientWrite` was appended. */
export interface RefuseWritesCommand {
  readonly type: "refuseWrites";
  readonly refusal: Refusal;
}

/** Nobody on this node can tell any more what becomes of accepted writes from index `since` on. */
export interface AbandonWritesCommand {
  readonly type: "abandonWrites";
  readonly since: number;
}

/** The reads may be served once `readIndex` is applied. */
export interface ReadReadyCommand {
  readonly type: "readReady";
  readonly requestId: number;
  readonly readIndex: LogId;
}

/** The reads cannot be served here. */
export interface RefuseReadsCommand {
  readonly type: "refuseReads";
  readonly requestId: number;
  readonly refusal: Refusal;
}

/** Ask the leader from which index on this node may serve the reads. It does not wait. */
export interface SendReadIndexCommand {
  readonly type: "sendReadIndex";
  readonly to: NodeId;
  /** Names the reads in the `readIndexAnswered` that follows. */
  readonly requestId: number;
  readonly policy: ReadPolicy;
}

/** A snapshot that covers what the request asked for is kept. */
export interface SnapshotReadyCommand {
  readonly type: "snapshotReady";
  readonly requestId: number;
}

/** The membership change that was asked for is committed, whole. */
export interface MembershipChangedCommand {
  readonly type: "membershipChanged";
  readonly requestId: number;
  /** Its last entry. */
  readonly logId: LogId;
  readonly membership: Membership<unknown>;
}

/** Nobody on this node can tell any more what becomes of the membership change. */
export interface AbandonChangeCommand {
  readonly type: "abandonChange";
  readonly requestId: number;
}

/** The request is done (`refusal` is null) or refused. */
export interface ReplyCommand {
  readonly type: "reply";
  readonly requestId: number;
  readonly refusal: Refusal | null;
  /** Hold the reply until this write is durable. */
  readonly afterIo: number;
}

// Messages to peers.

/** Ask `to` for a pre-vote. Nothing is promised by it, so it does not wait. */
export interface SendPreVoteCommand {
  readonly type: "sendPreVote";
  readonly to: NodeId;
  readonly request: PreVoteRequest;
}

/** Ask `to` for its vote, once this node's own vote is durable. */
export interface SendVoteCommand {
  readonly type: "sendVote";
  readonly to: NodeId;
  readonly request: VoteRequest;
  readonly afterIo: number;
}

/**
 * Send AppendEntries to `to` with the entries after `prevLogId` up to index `upto`; none, as a heartbeat, when
 * `upto` is `prevLogId.index`. It does not wait for the leader's own disk (Raft thesis section 10.2.1).
 */
export interface SendAppendEntriesCommand {
  readonly type: "sendAppendEntries";
  readonly to: NodeId;
  /** Names this request in its `appendEntriesResponse` or `appendEntriesFailed`. */
  readonly seq: number;
  readonly term: number;
  readonly prevLogId: LogId;
  readonly upto: number;
  readonly leaderCommit: number;
}

/** Send `to` the newest snapshot, in parts. Any older `sendSnapshot` to it is over. */
export interface SendSnapshotCommand {
  readonly type: "sendSnapshot";
  readonly to: NodeId;
  /** Names it in its `installSnapshotResponse` or `installSnapshotFailed`. */
  readonly seq: number;
  readonly term: number;
}

/** Ask `to` to take the leadership over. */
export interface SendTimeoutNowCommand {
  readonly type: "sendTimeoutNow";
  readonly to: NodeId;
  readonly request: TimeoutNowRequest;
}

/** Take the part of a snapshot that came with the request, and answer it with how far the content is, once `afterIo` is durable. */
export interface ReceiveSnapshotCommand {
  readonly type: "receiveSnapshot";
  readonly rpcId: number;
  /** For the answer. */
  readonly term: number;
  readonly afterIo: number;
}

/** Answer a part of a snapshot without taking it. */
export interface AnswerInstallSnapshotCommand {
  readonly type: "answerInstallSnapshot";
  readonly rpcId: number;
  readonly response: InstallSnapshotResponse;
  readonly afterIo: number;
}

/** Answer the request to take over. */
export interface AnswerTimeoutNowCommand {
  readonly type: "answerTimeoutNow";
  readonly rpcId: number;
  readonly response: TimeoutNowResponse;
  readonly afterIo: number;
}

/** Answer a pre-vote request. */
export interface AnswerPreVoteCommand {
  readonly type: "answerPreVote";
  readonly rpcId: number;
  readonly response: PreVoteResponse;
  readonly afterIo: number;
}

/** Answer a vote request, once what the answer says is durable. */
export interface AnswerVoteCommand {
  readonly type: "answerVote";
  readonly rpcId: number;
  readonly response: VoteResponse;
  readonly afterIo: number;
}

/** Answer an AppendEntries request, once what the answer says is durable. */
export interface AnswerAppendEntriesCommand {
  readonly type: "answerAppendEntries";
  readonly rpcId: number;
  readonly response: AppendEntriesResponse;
  readonly afterIo: number;
}

/** Everything an engine can ask for, in the order in which it must be started. */
export type Command =
  | SaveVoteCommand
  | AppendCommand
  | TruncateCommand
  | PurgeCommand
  | SaveCommittedCommand
  | ApplyCommand
  | BuildSnapshotCommand
  | InstallSnapshotCommand
  | DropSnapshotCommand
  | AcceptWritesCommand
  | RefuseWritesCommand
  | AbandonWritesCommand
  | ReadReadyCommand
  | RefuseReadsCommand
  | SendReadIndexCommand
  | SnapshotReadyCommand
  | MembershipChangedCommand
  | AbandonChangeCommand
  | ReplyCommand
  | SendPreVoteCommand
  | SendVoteCommand
  | SendAppendEntriesCommand
  | SendSnapshotCommand
  | SendTimeoutNowCommand
  | ReceiveSnapshotCommand
  | AnswerInstallSnapshotCommand
  | AnswerTimeoutNowCommand
  | AnswerPreVoteCommand
  | AnswerVoteCommand
  | AnswerAppendEntriesCommand;
