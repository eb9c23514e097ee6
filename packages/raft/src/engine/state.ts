import type { LogId, NodeId, SnapshotMeta, StorageVerb, StoredMembership, Vote } from "@seshat/common";
import type { EngineSwitches, ChangeMembershipEvent } from "./event.js";
import type { LogTrail } from "./log-trail.js";
import type { Progress } from "./progress.js";

/** Receives the log and takes no part in elections: every node that neither votes nor may still be needed. `mayBeNeeded` */
export interface LearnerRole {
  readonly type: "learner";
  /** The leader of the current term, once it was heard from. */
  readonly leaderId: NodeId | null;
}

/** A voter that follows a leader, or waits for one; or one that leaves, until it knows that to be committed. */
export interface FollowerRole {
  readonly type: "follower";
  readonly leaderId: NodeId | null;
}

/** A voter that asks whether an election would be won, still in its old term (Raft thesis section 9.6). */
export interface PreCandidateRole {
  readonly type: "preCandidate";
  /** Who would vote for this node; itself included. */
  readonly granted: Set<NodeId>;
  /** How often it has asked since it last was something else, this time included. */
  readonly attempt: number;
}

/** A voter that stands for election in its current term. */
export interface CandidateRole {
  readonly type: "candidate";
  /** Who has voted for this node: itself only from the moment its own vote is durable. */
  readonly granted: Set<NodeId>;
  /** The write of this node's own vote. */
  readonly ownVoteIo: number;
}

/** A read that waits for its confirmation. */
export interface PendingRead {
  readonly requestId: number;
  /** The log id it will be served at, once the leader may say (Raft thesis section 6.4); null until then. */
  readIndex: LogId | null;
  /** The confirmation round that it waits for. */
  round: number;
}

/** The leader of the current term. */
export interface LeaderRole {
  readonly type: "leader";
  /** The blank entry with which this leader began. Nothing before it commits by counting (Raft paper section 5.4.2). */
  readonly firstIndex: number;
  /** Every other node that gets the log: members, and those that leave until that is committed. `followers.ts` */
  readonly progress: Map<NodeId, Progress>;
  /** When it began, on the runtime's clock. */
  readonly since: number;
  /** Reads in the order in which they came. */
  reads: PendingRead[];
  /** The latest confirmation round that was sent out; 0 before the first. */
  round: number;
  /** When the voters are asked too that a quorum did not need, on the runtime's clock; infinity for never. `read-rounds.ts` */
  askRestAt: number;
  /** When spare followers get what they wait for, on the runtime's clock; infinity while nobody waits. `replication.ts`, `thrifty.ts` */
  restAt: number;
  /** The membership change that somebody waits for. `membership-change.ts` */
  change: PendingChange | null;
  /**
   * True once this leader has asked another node to take over: from then on voters may elect it although they heard from this
   * one, so no lease holds any more in this term.
   */
  leaseForfeited: boolean;
}

/** A membership change that somebody waits for. */
export interface PendingChange {
  readonly event: ChangeMembershipEvent;
  /** The newest entry of it; null while it waits for this leader's first commit. */
  logId: LogId | null;
}

/** The leadership is to go to another node. Written by `transfer.ts` only. */
export interface Transfer {
  readonly requestId: number;
  readonly target: NodeId;
  /** When it is given up, on the runtime's clock. */
  readonly deadline: number;
  /** The term in which this node led when it was asked. */
  readonly term: number;
  /** True while the target is being asked to stand. */
  asked: boolean;
}

export type Role = LearnerRole | FollowerRole | PreCandidateRole | CandidateRole | LeaderRole;

/** A durable write that is on its way. */
export interface OutstandingIo {
  readonly seq: number;
  /** For an append: the last index that it makes durable, lowered by later truncations. Otherwise 0. */
  lastIndex: number;
}

/** What is durable on this node. Written by `io.ts` only. */
export interface IoState {
  /** The last write asked for. */
  issued: number;
  /** Every write up to here is durable. */
  persisted: number;
  /** Writes after `persisted`, in order. */
  readonly outstanding: OutstandingIo[];
  /** The log is durable up to this index. */
  durableIndex: number;
}

/** A request for a snapshot that is not answered yet. */
export interface SnapshotRequest {
  readonly requestId: number;
  /** A snapshot satisfies it from this index on. */
  readonly index: number;
}

/** Snapshots on this node. Written by `snapshot.ts` only. */
export interface SnapshotState {
  /** The newest snapshot; `ZERO_LOG_ID` when there is none. */
  lastLogId: LogId;
  /** True while one is being built. */
  building: boolean;
  requests: SnapshotRequest[];
  /** Bytes of commands applied since the newest snapshot, or the one that is being built, began. */
  bytesSince: number;
  /** The snapshot that is being installed; null when none is. Nothing is applied meanwhile. */
  installing: SnapshotMeta<unknown> | null;
  /** Who asked for that by hand; null when a leader sent it. */
  installRequest: number | null;
  /** The log is to be purged up to here, once followers need it no more. */
  purgeUpto: number;
}

/**
 * Everything an engine knows. Each part has one writer, named here; handlers read all of it and change it only
 * through the writers.
 *
 * Order, always: purged <= snapshot <= applied <= dispatched <= committed <= last log.
 */
export interface EngineState {
  readonly id: NodeId;
  /** The store that this node runs on; 0 where stores are not told apart. */
  readonly incarnation: number;
  /** `vote-rule.ts` */
  vote: Vote;
  /** `role.ts` */
  role: Role;
  /** `log-writer.ts`, `snapshot.ts` */
  readonly log: LogTrail;
  /**
   * The last committed membership, then those appended after it, oldest first. The last one is in force
   * (Raft thesis section 4.1). `membership-state.ts`
   */
  readonly memberships: StoredMembership<unknown>[];
  /** `commit.ts` */
  committed: LogId;
  /** The last index that the apply lane was asked to apply. `commit.ts` */
  dispatchedIndex: number;
  /** The last entry that the state machine reported. `commit.ts` */
  applied: LogId;
  /** `io.ts` */
  readonly io: IoState;
  /** `snapshot.ts` */
  readonly snapshot: SnapshotState;
  /** When a voter without a leader stands for election, on the runtime's clock. `role.ts` */
  electionDeadline: number;
  /** True from the moment this node, as leader, lost its quorum, until a leader is known again. `role.ts` */
  quorumLost: boolean;
  /** Before this time this node elects nobody, itself included: it may have forgotten, in a restart, whose lease it promised. */
  readonly abstainUntil: number;
  /** When a leader was last heard from, on the runtime's clock; negative infinity for never. `role.ts` */
  leaderContact: number;
  /** The last AppendEntries request, or snapshot, sent. `replication.ts` */
  appendSeq: number;
  /** The leadership is being handed over; it outlasts the role, until the new leader is known. `transfer.ts` */
  transfer: Transfer | null;
  /** What storage hangs in; null while it does not. `on-storage-stalled.ts` */
  stalled: StorageVerb | null;
  /** `on-configure.ts` */
  switches: EngineSwitches;
}
