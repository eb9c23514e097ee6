import type { BasicNode, LogId, NodeId } from "@seshat/common";
import type { RaftMetrics } from "@seshat/raft";

/** What a single-node cluster looks like at one moment. Log ids are those of `RaftMetrics`; index 0 means none. */
export interface SingleNodeStatus {
  readonly nodeId: NodeId;
  readonly state: RaftMetrics<BasicNode>["state"];
  readonly term: number;
  readonly leaderId: NodeId | null;
  readonly lastLogId: LogId;
  readonly committed: LogId;
  readonly lastApplied: LogId;
  /** The last entry in the current snapshot. */
  readonly snapshot: LogId;
  /** The last entry removed from the log. */
  readonly purged: LogId;
  /** How many keys there are. */
  readonly keys: number;
  /** Snapshots taken since the cluster was started, restarts included. */
  readonly snapshotsTaken: number;
  /** Restarts since the cluster was started. */
  readonly restarts: number;
}
