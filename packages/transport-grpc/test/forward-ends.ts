import type { BytesTypeConfig, NodeId } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import type { ForwardConnection, GrpcConfigOptions, GrpcForwarding, GrpcListener } from "../src/index.js";
import { grpcForwarder, listenGrpc } from "../src/index.js";
import type { EndOptions } from "./messages.js";
import { willing } from "./messages.js";

const utf8 = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return utf8.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A listener of node 2 that answers what is forwarded to it. */
export function listenFor(
  handle: GrpcForwarding["handle"],
  options: EndOptions & { readonly clusterId?: string } = {},
): Promise<GrpcListener> {
  const { clusterId = "seshat", ...ends } = options;
  return listenGrpc<BytesTypeConfig>({
    raft: willing(),
    codec: BYTES_CODEC,
    forwarding: { clusterId, nodeId: 2, handle },
    address: "127.0.0.1:0",
    ...ends,
  });
}

export interface ForwardOptions extends EndOptions {
  readonly nodeId?: NodeId;
  readonly clusterId?: string;
  readonly target?: NodeId;
  readonly config?: GrpcConfigOptions;
}

/** The way to node 2, which closes itself. */
export function forwardTo(
  address: string,
  { nodeId = 1, clusterId = "seshat", target = 2, ...ends }: ForwardOptions = {},
): ForwardConnection & Disposable {
  const connection = grpcForwarder({ clusterId, nodeId, ...ends }).connect(target, address);
  return Object.assign(connection, { [Symbol.dispose]: () => connection.close() });
}
