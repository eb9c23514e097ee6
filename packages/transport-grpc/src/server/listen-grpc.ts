import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { ServerDuplexStream, ServiceDefinition } from "@grpc/grpc-js";
import { Server } from "@grpc/grpc-js";
import type { Logger, NodeId, RaftTypeConfig, RequestHeader } from "@seshat/common";
import { silentLogger } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import { formatAddress, parseAddress } from "../address.js";
import type { GrpcConfigOptions } from "../config.js";
import { makeGrpcConfig } from "../config.js";
import type { Way } from "../service.js";
import { FORWARD_PATH, PATHS } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { checkTls, serverCredentials } from "../tls.js";
import type { RaftHandlers } from "../wire/methods.js";
import { methodCodecs } from "../wire/methods.js";
import { Admission } from "./admission.js";
import { Connections } from "./connections.js";
import { ForwardStream } from "./forward-stream.js";
import type { GrpcForwarding } from "./forwarding.js";
import { checkAddressed, checkForwarding } from "./forwarding.js";
import { ServedStream } from "./served-stream.js";

/** What listens, for whom, and where. */
export interface GrpcListenOptions<C extends RaftTypeConfig> {
  /** The node: a `Raft`. */
  readonly raft: RaftHandlers<C>;
  /** How commands and nodes travel. The same on all nodes. */
  readonly codec: TypeCodec<C>;
  /** Default: nothing is taken from other nodes but Raft. */
  readonly forwarding?: GrpcForwarding;
  /** Where to listen: `host:port`. Port 0 takes any that is free. */
  readonly address: string;
  /** Default: none, and everything is readable, and anybody can pass for a node. */
  readonly tls?: TlsOptions;
  readonly config?: GrpcConfigOptions;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
}

/** A node that its peers can reach. */
export interface GrpcListener {
  /** `host:port`, with the port that was taken. */
  readonly address: string;
  /** How many connections there are. */
  readonly connections: number;
  /** Stops listening and closes every connection. Ends once the port is free. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Streams of one connection: what a peer has, which is at most two, and one that is about to take the place of another. */
const MAX_CONCURRENT_STREAMS = 4;
/** How much a peer may send on one stream that was not read yet. */
const FLOW_CONTROL_WINDOW = 1024 * 1024;
/** What nghttp2 may keep for one connection, in megabytes. */
const MAX_SESSION_MEMORY = 128;

/**
 * Listens for the peers of a node, which connect by `grpcNetwork`.
 *
 * @throws {InvalidValueError} that names the field. The error of the system when it cannot listen there.
 */
export async function listenGrpc<C extends RaftTypeConfig>(
  options: GrpcListenOptions<C>,
): Promise<GrpcListener> {
  const { raft, forwarding, tls, logger = silentLogger } = options;
  const { host, port } = parseAddress("address", options.address);
  checkTls(tls);
  checkForwarding(forwarding);
  const config = makeGrpcConfig(options.config);
  const codecs = methodCodecs(options.codec);
  const connections = new Connections(config.idleTimeoutMs);
  const admission = new Admission(tls, connections, logger);

  const serve = (way: Way, call: ServerDuplexStream<Buffer, Buffer>): void =>
    admission.admit(way, call, ({ check, room, ended }) => {
      let last: RequestHeader | null = null;
      return new ServedStream<C>(call, {
        way,
        raft,
        codecs,
        config,
        room,
        mismatch: (header) => {
          // The same object as long as the header stays the same.
          if (header === last) return null;
          const error = check(header.from, header.clusterId);
          if (error === null) last = header;
          return error;
        },
        ended,
      });
    });

  const server = new Server({
    "grpc.max_receive_message_length": config.maxMessageBytes,
    "grpc.max_send_message_length": config.maxMessageBytes,
    "grpc.max_concurrent_streams": MAX_CONCURRENT_STREAMS,
    "grpc.keepalive_time_ms": config.keepaliveTimeMs,
    "grpc.keepalive_timeout_ms": config.keepaliveTimeoutMs,
    "grpc.enable_channelz": 0,
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW,
    "grpc-node.max_session_memory": MAX_SESSION_MEMORY,
  });
  server.addService(SERVICE, {
    control: (call: ServerDuplexStream<Buffer, Buffer>) => serve("control", call),
    replicate: (call: ServerDuplexStream<Buffer, Buffer>) => serve("replicate", call),
    snapshot: (call: ServerDuplexStream<Buffer, Buffer>) => serve("snapshot", call),
  });
  if (forwarding !== undefined) {
    server.addService(FORWARD_SERVICE, {
      forward: (call: ServerDuplexStream<Buffer, Buffer>) =>
        admission.admit("forward", call, ({ introduced, room, ended }) => {
          checkAddressed(introduced, forwarding);
          const handle = (from: NodeId, payload: Uint8Array): Promise<Uint8Array> =>
            forwarding.handle(from, payload);
          return new ForwardStream(call, { from: introduced.from, config, room, handle, ended });
        }),
    });
  }
  const injector = server.createConnectionInjector(serverCredentials(tls));
  const listener = createServer({ noDelay: true }, (socket) => {
    connections.add(socket);
    if (!socket.destroyed) injector.injectConnection(socket);
  });
  listener.maxConnections = config.maxConnections;
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ host, port }, () => {
      listener.off("error", reject);
      resolve();
    });
  });
  listener.on("error", (error) => logger.log("error", "grpc.listen.failed", { error: error.message }));
  if (tls === undefined && !isLoopback(host))
    logger.log("warn", "grpc.listen.plaintext", { address: options.address });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= new Promise<void>((resolve) => {
      listener.close(() => resolve());
      admission.endAll();
      injector.destroy();
      server.forceShutdown();
      connections.destroy();
    });
    return closing;
  };
  return {
    address: formatAddress({ host, port: (listener.address() as AddressInfo).port }),
    get connections() {
      return connections.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function methodOf(path: string): ServiceDefinition[string] {
  const same = (buffer: Buffer): Buffer => buffer;
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

const SERVICE: ServiceDefinition = {
  control: methodOf(PATHS.control),
  replicate: methodOf(PATHS.replicate),
  snapshot: methodOf(PATHS.snapshot),
};

const FORWARD_SERVICE: ServiceDefinition = { forward: methodOf(FORWARD_PATH) };

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
