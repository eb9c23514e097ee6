import type { KeyValueCluster } from "../cluster/key-value-cluster.js";

/** What the prompt drives: the part of a cluster that commands call. */
export type CommandTarget = Pick<
  KeyValueCluster,
  | "set"
  | "get"
  | "del"
  | "exists"
  | "status"
  | "addNode"
  | "removeNode"
  | "transferLeader"
  | "waitForLeader"
  | "snapshot"
  | "purgeLog"
  | "kill"
  | "restart"
  | "partition"
  | "heal"
>;
