/** Seshat wired together, in memory: a cluster of one node, and clusters of several in one process. */
export { Cluster, startCluster } from "./cluster/cluster.js";
export type { ClusterOptions } from "./cluster/cluster-options.js";
export { KeyValueCluster, startKeyValueCluster } from "./cluster/key-value-cluster.js";
export type { KeyValueClusterOptions, NodeSnapshot } from "./cluster/key-value-cluster.js";
export type { KeyValueClusterStatus, NodeStatus } from "./cluster/key-value-cluster-status.js";
export { CommandRefusedError, NodeDownError, RestartingError } from "./errors.js";
export { SingleNodeCluster, startSingleNodeCluster } from "./single-node-cluster.js";
export type { SingleNodeStatus } from "./single-node-status.js";
export type { SingleNodeClusterOptions } from "./single-node-options.js";
