import type { LogEntry } from "./log-entry.js";
import type { LogId } from "./log-id.js";
import type { NodeId } from "./node.js";

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
  /** The asking node. */
  readonly from: NodeId;
  /** True when the leader may go by its lease, without asking a quorum. */
  readonly lease: boolean;
}

/** Answers a {@link ReadIndexRequest}, once the leader knows that it still leads. */
export interface ReadIndexResponse {
  /** The leader's commit when it answered; null when the asked node does not lead. */
  readonly readIndex: LogId | null;
}
