import type { BasicNode, LogId, NodeId } from "@seshat/common";
import type { RaftMetrics } from "@seshat/raft";
import type { CountingStateMachine } from "../counting-state-machine.js";
import type { Cluster } from "./cluster.js";

/** What one node of a cluster looks like at one moment. Log ids are those of `RaftMetrics`; index 0 means none. */
export interface NodeStatus {
  readonly nodeId: NodeId;
  /** Its role; `down` while it is killed, and then all else is null. */
  readonly state: RaftMetrics<BasicNode>["state"] | "down";
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
}

/** What a key-value cluster looks like at one moment. */
export interface KeyValueClusterStatus {
  /** The node that leads; of several that believe to, the one with the latest term. */
  readonly leaderId: NodeId | null;
  /** Every node, by id. */
  readonly nodes: readonly NodeStatus[];
  /** The groups whose links to each other are cut; null when none are. */
  readonly partition: readonly (readonly NodeId[])[] | null;
  /** The last entry that any node has applied. */
  readonly lastApplied: LogId;
  /** How many keys the node has that has applied it. */
  readonly keys: number;
  /** Snapshots taken by all nodes together since the cluster was started. */
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
    nodes,
    partition,
    lastApplied: furthest.lastApplied,
    keys: cluster.stateMachine(furthest.id).size,
    snapshotsTaken: cluster.ids.reduce((sum, id) => sum + cluster.stateMachine(id).snapshotsTaken, 0),
  };
}

function statusOf(
  nodeId: NodeId,
  metrics: RaftMetrics<BasicNode> | undefined,
  leader: RaftMetrics<BasicNode> | null,
): NodeStatus {
  if (metrics === undefined) {
    const nothing = { lastLogId: null, committed: null, lastApplied: null, snapshot: null, purged: null };
    return { nodeId, state: "down", term: null, ...nothing, lag: null };
  }
  const { state, term, lastLogId, committed, lastApplied, snapshot, purged } = metrics;
  const lag = leader === null ? null : Math.max(0, leader.committed.index - lastApplied.index);
  return { nodeId, state, term, lastLogId, committed, lastApplied, snapshot, purged, lag };
}
