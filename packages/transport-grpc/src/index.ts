/** Raft over gRPC: the network of a node, and what its peers reach it by. */
export { DEFAULT_GRPC_CONFIG } from "./config.js";
export type { GrpcConfig, GrpcConfigOptions, GrpcDeadlines } from "./config.js";
export { grpcForwarder } from "./grpc-forwarder.js";
export type {
  ForwardCallOptions,
  ForwardConnection,
  GrpcForwarder,
  GrpcForwarderOptions,
} from "./grpc-forwarder.js";
export { grpcNetwork } from "./grpc-network.js";
export type { GrpcNetworkOptions } from "./grpc-network.js";
export type { GrpcForwarding } from "./server/forwarding.js";
export { listenGrpc } from "./server/listen-grpc.js";
export type { GrpcListener, GrpcListenOptions } from "./server/listen-grpc.js";
export { nodeUri } from "./tls.js";
export type { PeerIdentity, TlsOptions } from "./tls.js";
export type { RaftHandlers } from "./wire/methods.js";
