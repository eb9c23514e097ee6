import type { NodeId } from "@seshat/common";
import { ForeignNodeError, InvalidValueError, checkNodeId } from "@seshat/common";
import type { Introduced } from "./introduction.js";

/** What a node does with what other nodes forward to it. */
export interface GrpcForwarding {
  /** Of this node: who means another cluster or another node is refused. */
  readonly clusterId: string;
  readonly nodeId: NodeId;
  /**
   * Answers what a node asks by its `grpcForwarder`. The calls of a connection are handed over in their order; they may be answered in any. What it rejects with reaches the
   * caller as an error of its class, if it is one of `@seshat/common`.
   *
   * @param from who asks. Without mutual TLS that is what they say.
   * @param payload a part of the message it came in: copy what you keep for long.
   */
  handle(from: NodeId, payload: Uint8Array): Promise<Uint8Array>;
}

/** @throws {InvalidValueError} that names the field. */
export function checkForwarding(forwarding: GrpcForwarding | undefined): void {
  if (forwarding === undefined) return;
  const { clusterId, nodeId } = forwarding;
  const handle: unknown = Reflect.get(forwarding, "handle");
  if (typeof clusterId !== "string") throw new InvalidValueError("forwarding.clusterId", clusterId, "a text");
  checkNodeId("forwarding.nodeId", nodeId);
  if (typeof handle !== "function") throw new InvalidValueError("forwarding.handle", handle, "a function");
}

/**
 * Raft checks for itself whom its requests mean, and which store. An application has only the ids.
 *
 * @throws {ForeignNodeError} when somebody else is meant.
 */
export function checkAddressed({ clusterId, from, to }: Introduced, self: GrpcForwarding): void {
  if (clusterId !== self.clusterId) {
    const theirs = JSON.stringify(clusterId.slice(0, 64));
    throw new ForeignNodeError(
      `it comes from cluster ${theirs}, and this is ${JSON.stringify(self.clusterId)}`,
    );
  }
  if (to !== self.nodeId) throw new ForeignNodeError(`it is for node ${to}, and this is node ${self.nodeId}`);
  if (from === self.nodeId) throw new ForeignNodeError(`its sender has the id of this node, ${self.nodeId}`);
}
