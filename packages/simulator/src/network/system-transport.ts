import type { NodeId, RaftTypeConfig } from "@seshat/common";
import type { RaftNetwork } from "@seshat/raft";

/** What the receiving end calls: the node that is addressed. */
export type RaftPeer<C extends RaftTypeConfig> = Omit<RaftNetwork<C>, "close">;

/** A transport between nodes: both ends of it. What lies between them, with its faults, is simulated, and carries bytes. */
export interface SystemTransport<C extends RaftTypeConfig> {
  /**
   * The sending end: a connection to one peer.
   *
   * @param send carries bytes to the receiving end of that peer. @returns the bytes that it answers; rejects with an
   *   `UnreachableError`, or stays pending, when they do not come.
   */
  connect(
    target: NodeId,
    node: C["Node"],
    send: (request: Uint8Array) => Promise<Uint8Array>,
  ): RaftNetwork<C>;
  /**
   * The receiving end: calls the method of `peer` that the request is for. The bytes may be late, and may come twice.
   *
   * @returns what it answers. A rejection is carried back to `send`, as an `UnreachableError` with its message.
   */
  receive(peer: RaftPeer<C>, request: Uint8Array): Promise<Uint8Array>;
}
