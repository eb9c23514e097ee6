/** Seshat wired together, in memory: a cluster of one node, and clusters in one process that grow, shrink and are hurt. */
export { Cluster, startCluster } from "./cluster/cluster.js";
export type { NodeLogId } from "./cluster/cluster.js";
export type { ClusterOptions } from "./cluster/cluster-options.js";
export { KeyValueCluster, startKeyValueCluster } from "./cluster/key-value-cluster.js";
export type { KeyValueClusterOptions } from "./cluster/key-value-cluster.js";
export type {
  KeyValueClusterStatus,
  MembershipStatus,
  NodeStatus,
} from "./cluster/key-value-cluster-status.js";
export {
  CommandRefusedError,
  LastVoterError,
  NodeDownError,
  NodeExistsError,
  NodeNotAddedError,
  NodeNotRemovedError,
  RestartingError,
} from "./errors.js";
export { SingleNodeCluster, startSingleNodeCluster } from "./single-node-cluster.js";
export type { SingleNodeStatus } from "./single-node-status.js";
export type { SingleNodeClusterOptions } from "./single-node-options.js";
