/** Seshat wired together: a cluster of one node, in memory. */
export { CommandRefusedError, RestartingError } from "./errors.js";
export { SingleNodeCluster, startSingleNodeCluster } from "./single-node-cluster.js";
export type { SingleNodeStatus } from "./single-node-status.js";
export type { SingleNodeClusterOptions } from "./single-node-options.js";
