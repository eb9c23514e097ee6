import type { BasicNode, LogId, NodeId, StorageVerb } from "@seshat/common";
import { isJoint, isVoter, learnerIds } from "@seshat/common";
import type { RaftMetrics, ReplicationMetrics } from "@seshat/raft";
import type { CountingStateMachine } from "../counting-state-machine.js";
import type { Cluster } from "./cluster.js";

/**
 * What one node of a cluster looks like at one moment. Log ids are those of `RaftMetrics`; index 0 means none. What only a node
 * that runs can tell is null while it is killed.
 */
export interface NodeStatus {
  readonly nodeId: NodeId;
  /** Its role; `down` while it is killed. */
  readonly state: RaftMetrics<BasicNode>["state"] | "down";
  /** What the leader knows it as; `none` when it is no member; null while there is no leader. */
  readonly member: "voter" | "learner" | "none" | null;
  readonly term: number | null;
  readonly lastLogId: LogId | null;
  readonly committed: LogId | null;
  readonly lastApplied: LogId | null;
  /** The last entry in its current snapshot. */
  readonly snapshot: LogId | null;
  /** The last entry removed from its log. */
  readonly purged: LogId | null;
  /** How many entries that the leader has committed it has not applied; null also while there is no leader. */
  readonly lag: number | null;
  /**
   * How the leader replicates to it: `probe` while it looks for where the logs meet or gets no answer, `snapshot` while it sends one,
   * otherwise `pipeline`. Null for the leader, for a killed node, and while there is no leader.
   */
  readonly mode: ReplicationMetrics["mode"] | null;
  /** How many bytes of that snapshot it has, and of how many; null when none is on its way. */
  readonly snapshotProgress: ReplicationMetrics["snapshot"];
  /** What its storage hangs in, or null. */
  readonly stalled: StorageVerb | null;
}

/** Who belongs to a cluster, as its leader knows it. */
export interface MembershipStatus {
  /** The sets of voters: two while the cluster moves from the first to the second. */
  readonly configs: readonly (readonly NodeId[])[];
  /** The members that do not vote. */
  readonly learners: readonly NodeId[];
  /** True while it moves from one set of voters to another. */
  readonly joint: boolean;
}

/** What a key-value cluster looks like at one moment. */
export interface KeyValueClusterStatus {
  /** The node that leads; of several that believe to, the one with the latest term. */
  readonly leaderId: NodeId | null;
  /** Null while there is no leader. */
  readonly membership: MembershipStatus | null;
  /** The node that is taking the leadership over, or null. */
  readonly transferTarget: NodeId | null;
  /** Every node, by id. */
  readonly nodes: readonly NodeStatus[];
  /** The groups whose links to each other are cut; null when none are. */
  readonly partition: readonly (readonly NodeId[])[] | null;
  /** The last entry that any node has applied. */
  readonly lastApplied: LogId;
  /** How many keys the node has that has applied it. */
  readonly keys: number;
  /** Snapshots taken by all nodes that there are together, since they were made. */
  readonly snapshotsTaken: number;
}

/** Looks at every node. `lastApplied` is of the state machines, which a kill does not take away. */
export function lookAt<D, R>(
  cluster: Cluster<D, R, CountingStateMachine>,
  partition: readonly (readonly NodeId[])[] | null,
): KeyValueClusterStatus {
  const metrics = new Map(cluster.running().map((node) => [node.id, node.metrics()]));
  const leaders = [...metrics.values()].filter(({ state }) => state === "leader");
  const leader = leaders.toSorted((a, b) => b.term - a.term)[0] ?? null;
  const nodes = cluster.ids.map((id) => statusOf(id, metrics.get(id), leader));
  const applied = cluster.ids.map((id) => ({ id, lastApplied: cluster.lastApplied(id) }));
  const furthest = applied.reduce((a, b) => (b.lastApplied.index > a.lastApplied.index ? b : a));
  return {
    leaderId: leader?.id ?? null,
    membership: leader === null ? null : membershipOf(leader),
    transferTarget: leader?.transferTarget ?? null,
    nodes,
    partition,
    lastApplied: furthest.lastApplied,
    keys: cluster.stateMachine(furthest.id).size,
    snapshotsTaken: cluster.ids.reduce((sum, id) => sum + cluster.stateMachine(id).snapshotsTaken, 0),
  };
}

function membershipOf(leader: RaftMetrics<BasicNode>): MembershipStatus {
  const { membership } = leader.membership;
  return {
    configs: membership.configs,
    learners: learnerIds(membership),
    joint: isJoint(membership),
  };
}

function memberAs(id: NodeId, leader: RaftMetrics<BasicNode> | null): NodeStatus["member"] {
  if (leader === null) return null;
  const { membership } = leader.membership;
  if (isVoter(membership, id)) return "voter";
  return membership.nodes.has(id) ? "learner" : "none";
}

const NOT_REPLICATED = { mode: null, snapshotProgress: null } as const;

function statusOf(
  nodeId: NodeId,
  metrics: RaftMetrics<BasicNode> | undefined,
  leader: RaftMetrics<BasicNode> | null,
): NodeStatus {
  const member = memberAs(nodeId, leader);
  if (metrics === undefined) {
    const nothing = { lastLogId: null, committed: null, lastApplied: null, snapshot: null, purged: null };
    return {
      nodeId,
      state: "down",
      member,
      term: null,
      ...nothing,
      lag: null,
      ...NOT_REPLICATED,
      stalled: null,
    };
  }
  const { state, term, lastLogId, committed, lastApplied, snapshot, purged, storageStalled } = metrics;
  const lag = leader === null ? null : Math.max(0, leader.committed.index - lastApplied.index);
  const replication = leader?.replication?.get(nodeId);
  const reached =
    replication === undefined
      ? NOT_REPLICATED
      : { mode: replication.mode, snapshotProgress: replication.snapshot };
  const log = { lastLogId, committed, lastApplied, snapshot, purged };
  return { nodeId, state, member, term, ...log, lag, ...reached, stalled: storageStalled };
}
