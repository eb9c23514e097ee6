import type { LogId, NodeId, StoredMembership, Vote } from "@seshat/common";
import { effectiveMembership } from "../engine/membership-state.js";
import { knownLeader } from "../engine/role.js";
import type { EngineState, Role } from "../engine/state.js";

/** How far the leader has brought one follower. */
export interface ReplicationMetrics {
  /** The follower's durable log equals the leader's up to this index. */
  readonly matchIndex: number;
  /** Requests on their way. */
  readonly inFlight: number;
}

/** What a node knows of itself at one moment. */
export interface RaftMetrics<N> {
  readonly id: NodeId;
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
  /** On a leader: every other member. Otherwise null. */
  readonly replication: ReadonlyMap<NodeId, ReplicationMetrics> | null;
  /** Why the node stopped by itself, or null. */
  readonly stopCause: Error | null;
}

/** Computes the metrics of a state; nothing is kept ready for nobody. */
export function computeMetrics<N>(
  state: Readonly<EngineState>,
  stopped: boolean,
  stopCause: Error | null,
): RaftMetrics<N> {
  const { role } = state;
  return {
    id: state.id,
    state: stopped ? "stopped" : role.type,
    term: state.vote.term,
    vote: state.vote,
    lastLogId: state.log.last,
    committed: state.committed,
    lastApplied: state.applied,
    snapshot: state.snapshot.lastLogId,
    purged: state.log.purged,
    currentLeader: stopped ? null : knownLeader(state),
    membership: effectiveMembership(state) as StoredMembership<N>,
    replication: role.type === "leader" && !stopped ? followers(role.progress) : null,
    stopCause,
  };
}

function followers(
  progress: ReadonlyMap<NodeId, { matchIndex: number; inFlight: readonly unknown[] }>,
): ReadonlyMap<NodeId, ReplicationMetrics> {
  return new Map(
    [...progress].map(([id, { matchIndex, inFlight }]) => [id, { matchIndex, inFlight: inFlight.length }]),
  );
}
