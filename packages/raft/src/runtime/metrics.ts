import type { LogId, NodeId, StorageVerb, StoredMembership, Vote } from "@seshat/common";
import type { EngineSwitches } from "../engine/event.js";
import { lastQuorumAck } from "../engine/leadership.js";
import { effectiveMembership } from "../engine/membership-state.js";
import type { Progress } from "../engine/progress.js";
import { knownLeader } from "../engine/role.js";
import type { EngineState, LeaderRole, Role } from "../engine/state.js";
import type { SnapshotProgress } from "./snapshot-sender.js";

/** How far the leader has brought one follower. */
export interface ReplicationMetrics {
  /** The follower's durable log equals the leader's up to this index. */
  readonly matchIndex: number;
  /** Entries of the leader's log that it is not known to have. */
  readonly lag: number;
  /** Requests on their way. */
  readonly inFlight: number;
  /** `probe` while it is not known where the logs meet, `snapshot` while a snapshot is on its way, otherwise `pipeline`. */
  readonly mode: Progress["mode"];
  /** How far that snapshot is; null when none is on its way. */
  readonly snapshot: SnapshotProgress | null;
  /** Milliseconds since the newest message was sent that it has answered; null when it has answered none. */
  readonly sinceLastAckMs: number | null;
}

/** What a node knows of itself at one moment. */
export interface RaftMetrics<N> {
  readonly id: NodeId;
  /** Which store it runs on: see `Membership.incarnations`. */
  readonly incarnation: number;
  /** Its role; `stopped` after `shutdown` or a failure. */
  readonly state: Role["type"] | "stopped";
  readonly term: number;
  readonly vote: Vote;
  /** The last entry of the log. */
  readonly lastLogId: LogId;
  /** The last entry known to be committed. */
  readonly committed: LogId;
  /** The last entry that the state machine has applied. */
  readonly lastApplied: LogId;
  /** The last entry that the newest snapshot holds; `ZERO_LOG_ID` when there is none. */
  readonly snapshot: LogId;
  /** The last entry purged from the log. */
  readonly purged: LogId;
  /** The leader as far as this node knows. A belief: it may have been deposed a moment ago. */
  readonly currentLeader: NodeId | null;
  /** The membership in force. */
  readonly membership: StoredMembership<N>;
  /** On a leader: every other node that gets the log. Otherwise null. */
  readonly replication: ReadonlyMap<NodeId, ReplicationMetrics> | null;
  /**
   * On a leader: milliseconds since the newest message was sent that a quorum has answered: how old its belief is. 0 for a
   * sole voter; null when there was none, or this node does not lead.
   */
  readonly sinceQuorumAckMs: number | null;
  /** Who is to take the leadership over; null when nobody is. */
  readonly transferTarget: NodeId | null;
  /** What storage hangs in; null while it does not. */
  readonly storageStalled: StorageVerb | null;
  /**
   * What hangs of building, receiving or installing a snapshot: it has not got on for `snapshotTimeoutMs`. Null while nothing does. The node goes
   * on without.
   */
  readonly snapshotStalled: StorageVerb | null;
  /** Messages that were refused since it started, because their term was too far beyond its own to be believed. */
  readonly refusedTerms: number;
  /** What is turned on and off. */
  readonly switches: EngineSwitches;
  /** Why the node stopped by itself, or null. */
  readonly stopCause: Error | null;
}

/** What metrics need beside the state of the engine. */
export interface Surroundings {
  readonly now: number;
  readonly stopped: boolean;
  readonly stopCause: Error | null;
  readonly snapshotStalled: StorageVerb | null;
  readonly refusedTerms: number;
  snapshotProgress(id: NodeId): SnapshotProgress | null;
}

/** Computes the metrics of a state; nothing is kept ready for nobody. */
export function computeMetrics<N>(state: Readonly<EngineState>, around: Surroundings): RaftMetrics<N> {
  const { stopped, stopCause } = around;
  const leading = state.role.type === "leader" && !stopped ? state.role : null;
  return {
    id: state.id,
    incarnation: state.incarnation,
    state: stopped ? "stopped" : state.role.type,
    term: state.vote.term,
    vote: state.vote,
    lastLogId: state.log.last,
    committed: state.committed,
    lastApplied: state.applied,
    snapshot: state.snapshot.lastLogId,
    purged: state.log.purged,
    currentLeader: stopped ? null : knownLeader(state),
    membership: effectiveMembership(state) as StoredMembership<N>,
    replication: leading === null ? null : followers(state, leading, around),
    sinceQuorumAckMs: leading === null ? null : since(lastQuorumAck(state, leading), around.now),
    transferTarget: stopped ? null : (state.transfer?.target ?? null),
    storageStalled: state.stalled,
    snapshotStalled: around.snapshotStalled,
    refusedTerms: around.refusedTerms,
    switches: state.switches,
    stopCause,
  };
}

function followers(
  state: Readonly<EngineState>,
  role: LeaderRole,
  around: Surroundings,
): ReadonlyMap<NodeId, ReplicationMetrics> {
  return new Map(
    [...role.progress].map(([id, { matchIndex, inFlight, mode, ackedSentAt }]) => [
      id,
      {
        matchIndex,
        lag: state.log.last.index - matchIndex,
        inFlight: inFlight.length,
        mode,
        // The sender may learn a moment later than the engine that the follower has it.
        snapshot: mode === "snapshot" ? around.snapshotProgress(id) : null,
        sinceLastAckMs: since(ackedSentAt, around.now),
      },
    ]),
  );
}

function since(at: number, now: number): number | null {
  return at === Number.NEGATIVE_INFINITY ? null : Math.max(0, now - at);
}
