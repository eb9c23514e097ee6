import type { LogId, NodeId } from "@seshat/common";
import type { NodeSnapshot } from "../cluster/key-value-cluster.js";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import type { SingleNodeStatus } from "../single-node-status.js";

/** The commands on keys and values, which every target has. */
interface DataTarget {
  set(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  get(key: Uint8Array): Promise<Uint8Array | null>;
  del(keys: readonly Uint8Array[]): Promise<number>;
  exists(keys: readonly Uint8Array[]): Promise<number>;
}

/** The part of a single-node cluster that commands call. */
export interface NodeTarget extends DataTarget {
  status(): SingleNodeStatus;
  snapshot(): Promise<LogId>;
  restart(): Promise<void>;
}

/** The part of a cluster of several nodes that commands call. */
export interface NodesTarget extends DataTarget {
  status(): KeyValueClusterStatus;
  snapshot(node?: NodeId): Promise<readonly NodeSnapshot[]>;
  kill(node: NodeId): Promise<void>;
  restart(node: NodeId): Promise<void>;
  partition(groups: readonly (readonly NodeId[])[]): readonly (readonly NodeId[])[];
  heal(): void;
}

/** What the prompt drives: one node, or several. */
export type CommandTarget = NodeTarget | NodesTarget;

/** True for a target of several nodes. */
export function hasNodes(target: CommandTarget): target is NodesTarget {
  return "partition" in target;
}
