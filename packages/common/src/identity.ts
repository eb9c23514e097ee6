import type { NodeId } from "./node.js";

/**
 * Whose store this is. Written when a node first starts on a store and never changed: a node does not start on the store of
 * another node or of another cluster.
 */
export interface StoreIdentity {
  /** `config.clusterId` of the node. */
  readonly clusterId: string;
  readonly nodeId: NodeId;
  /** Drawn at random, from 1 to 2^53 - 1: tells this store from every other one that a node of this id ever had. */
  readonly incarnation: number;
}
