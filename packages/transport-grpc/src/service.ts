import { ForwardService } from "./generated/seshat/forward/v1/forward_pb.js";
import { RaftService } from "./generated/seshat/raft/v1/raft_pb.js";
import type { GrpcConfig, GrpcDeadlines } from "./config.js";
import type { Method } from "./wire/methods.js";

/** The ways from one node to another, each an RPC of the service. */
export type Way = "control" | "replicate" | "snapshot";

export const PATHS: Readonly<Record<Way, string>> = {
  control: `/${RaftService.typeName}/${RaftService.method.control.name}`,
  replicate: `/${RaftService.typeName}/${RaftService.method.replicate.name}`,
  snapshot: `/${RaftService.typeName}/${RaftService.method.snapshot.name}`,
};

/** The RPC for what applications ask. */
export const FORWARD_PATH: string = `/${ForwardService.typeName}/${ForwardService.method.forward.name}`;

/** Which methods go which way. */
const METHODS: Readonly<Record<Way, readonly Method[]>> = {
  control: ["preVote", "vote", "appendEntries", "timeoutNow", "readIndex"],
  replicate: ["appendEntries"],
  snapshot: ["installSnapshot"],
};

export function goes(way: Way, method: Method): boolean {
  return METHODS[way].includes(method);
}

/** The largest message on the way for what is urgent: errors are the largest there. */
const MAX_CONTROL_BYTES = 64 * 1024;

export function maxBytes(way: Way, config: GrpcConfig): number {
  return way === "control" ? Math.min(MAX_CONTROL_BYTES, config.maxMessageBytes) : config.maxMessageBytes;
}

export function deadlineKind(way: Way, method: Method): keyof GrpcDeadlines {
  return way === "control" && method === "appendEntries" ? "heartbeat" : method;
}

/** What a stream says at its start. */
export const META = { cluster: "seshat-cluster", from: "seshat-from", to: "seshat-to" } as const;
/** Why a stream was ended, as an `Error`. */
export const ERROR_TRAILER = "seshat-error-bin";

/** Message bytes go through as they are: what is wrong with them is found out where it can be answered. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
