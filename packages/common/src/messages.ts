import type { LogEntry } from "./log-entry.js";
import type { LogId } from "./log-id.js";
import type { NodeId } from "./node.js";
import type { SnapshotMeta } from "./snapshot.js";

/**
 * Who a request is from, and for whom. Every request between nodes carries it, so that a message that went astray (another
 * cluster at an old address, a node whose disk was erased) is refused, and never counts.
 */
export interface RequestHeader {
  /** `config.clusterId` of the sender. */
  readonly clusterId: string;
  readonly from: NodeId;
  /** The store that the sender runs on. */
  readonly incarnation: number;
  readonly to: NodeId;
  /** The store that the sender means, as the membership says; 0 while it says nothing. */
  readonly toIncarnation: number;
}

/** Who an answer is from. */
export interface ResponseHeader {
  readonly from: NodeId;
  /** The store that the answering node runs on. */
  readonly incarnation: number;
}

/** A request as it travels. */
export type RpcRequest<T> = T & { readonly header: RequestHeader };

/** An answer as it travels. */
export type RpcResponse<T> = T & { readonly header: ResponseHeader };

/** Asks whether an election would be won, without holding one (Raft thesis section 9.6). */
export interface PreVoteRequest {
  /** The term that the election would have: one past the sender's own. */
  readonly term: number;
  readonly candidateId: NodeId;
  /** The last entry of the sender's log. */
  readonly lastLogId: LogId;
}

/** Answers a {@link PreVoteRequest}. It promises nothing. */
export interface PreVoteResponse {
  /** The answering node's own term. */
  readonly term: number;
  readonly granted: boolean;
}

/** Asks for a vote (Raft paper figure 2, RequestVote). */
export interface VoteRequest {
  /** The candidate's term. */
  readonly term: number;
  readonly candidateId: NodeId;
  /** The last entry of the candidate's log. */
  readonly lastLogId: LogId;
  /**
   * True when the leader of the term before handed over to the candidate: then nobody refuses because that leader is
   * alive (Raft thesis section 4.2.3).
   */
  readonly transfer: boolean;
}

/** Answers a {@link VoteRequest}, once what it promises is durable. */
export interface VoteResponse {
  /** The answering node's term; later than the candidate's when that is why it refuses. */
  readonly term: number;
  readonly granted: boolean;
}

/** Replicates entries, or none as a heartbeat (Raft paper figure 2, AppendEntries). */
export interface AppendEntriesRequest<D = unknown, N = unknown> {
  /** The leader's term. */
  readonly term: number;
  readonly leaderId: NodeId;
  /** The entry just before `entries`. */
  readonly prevLogId: LogId;
  readonly entries: readonly LogEntry<D, N>[];
  /** The leader's commit index. */
  readonly leaderCommit: number;
}

/** The entries were appended and are durable, and so is the log before them. */
export interface AppendEntriesSuccess {
  readonly type: "success";
  readonly term: number;
  /** The follower's log equals the leader's up to this index. */
  readonly matchIndex: number;
}

/** The follower's log does not have `prevLogId`. */
export interface AppendEntriesConflict {
  readonly type: "conflict";
  readonly term: number;
  /**
   * The newest log id of the follower at which the two logs can still agree: its index is below the
   * refused `prevLogId`, its term no later. The leader looks for its own last entry that is no newer.
   */
  readonly hint: LogId;
}

/** The answering node does not follow the sender: its term is later, or it knows another leader of this one. */
export interface AppendEntriesRefused {
  readonly type: "refused";
  /** The answering node's term. */
  readonly term: number;
}

/** Answers an {@link AppendEntriesRequest}, once what it says is durable. */
export type AppendEntriesResponse = AppendEntriesSuccess | AppendEntriesConflict | AppendEntriesRefused;

/** A follower asks from which index on it may serve linearizable reads (Raft thesis section 6.4). */
export interface ReadIndexRequest {
  /** True when the leader may go by its lease, without asking a quorum. */
  readonly lease: boolean;
}

/** Answers a {@link ReadIndexRequest}, once the leader knows that it still leads. */
export interface ReadIndexResponse {
  /** The leader's commit when it answered; null when the asked node does not lead. */
  readonly readIndex: LogId | null;
}

/** A part of a snapshot for a follower whose next entries are purged (Raft paper figure 13). */
export interface InstallSnapshotRequest<N = unknown> {
  /** The leader's term. */
  readonly term: number;
  readonly leaderId: NodeId;
  readonly meta: SnapshotMeta<N>;
  /** The length of the whole content in bytes. */
  readonly size: number;
  /** Where `data` stands in the content. */
  readonly offset: number;
  /** May be empty, to ask how far the follower is. */
  readonly data: Uint8Array;
}

/** The follower has the content up to `nextOffset`: send from there on. At `size` it has it all, and installs it. */
export interface InstallSnapshotProgress {
  readonly type: "progress";
  readonly term: number;
  readonly nextOffset: number;
}

/** The follower's durable state holds all that the snapshot does. */
export interface InstallSnapshotDone {
  readonly type: "installed";
  readonly term: number;
}

/** The answering node does not follow the sender: its term is later, or it knows another leader of this one. */
export interface InstallSnapshotRefused {
  readonly type: "refused";
  readonly term: number;
}

/** Answers an {@link InstallSnapshotRequest}. */
export type InstallSnapshotResponse = InstallSnapshotProgress | InstallSnapshotDone | InstallSnapshotRefused;

/** The leader asks a voter that has the whole log to take over at once (Raft thesis section 3.10, TimeoutNow). */
export interface TimeoutNowRequest {
  /** The leader's term. */
  readonly term: number;
  readonly leaderId: NodeId;
  /** The last entry of the leader's log: who does not have it cannot win. */
  readonly lastLogId: LogId;
}

/** Answers a {@link TimeoutNowRequest}. */
export interface TimeoutNowResponse {
  readonly term: number;
  /** True when the asked node stands for election. */
  readonly accepted: boolean;
}
