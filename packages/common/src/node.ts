/** Names one member of a cluster for ever. An integer from 1 to 2^53 - 1; u64 on the wire. */
export type NodeId = number;

/** Where a member can be reached, and nothing else: the default `Node` of a type configuration. */
export interface BasicNode {
  /** An address in whatever form the network implementation understands, e.g. `"10.0.0.1:7000"`. */
  readonly addr: string;
}
