import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { ServerDuplexStream, ServiceDefinition } from "@grpc/grpc-js";
import { Server, status } from "@grpc/grpc-js";
import type { Logger, RaftTypeConfig, RequestHeader } from "@seshat/common";
import { ForeignNodeError, InvalidValueError, silentLogger } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import { formatAddress, parseAddress } from "../address.js";
import type { GrpcConfigOptions } from "../config.js";
import { makeGrpcConfig } from "../config.js";
import type { Way } from "../service.js";
import { META, PATHS } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { checkTls, mismatch, serverCredentials } from "../tls.js";
import type { RaftHandlers } from "../wire/methods.js";
import { methodCodecs } from "../wire/methods.js";
import { Connections } from "./connections.js";
import { PeerStreams } from "./peer-streams.js";
import { ServedStream, refuse } from "./served-stream.js";

/** What listens, for whom, and where. */
export interface GrpcListenOptions<C extends RaftTypeConfig> {
  /** The node: a `Raft`. */
  readonly raft: RaftHandlers<C>;
  /** How commands and nodes travel. The same on all nodes. */
  readonly codec: TypeCodec<C>;
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
  const { raft, tls, logger = silentLogger } = options;
  const { host, port } = parseAddress("address", options.address);
  checkTls(tls);
  const config = makeGrpcConfig(options.config);
  const codecs = methodCodecs(options.codec);
  const isMutual = tls !== undefined && (tls.mutual ?? true);
  const connections = new Connections(config.idleTimeoutMs);
  const streams = new PeerStreams<ServedStream<C>>();

  const serve = (way: Way, call: ServerDuplexStream<Buffer, Buffer>): void => {
    // An error has nobody else to listen to it.
    call.on("error", () => {});
    const peer = call.getPeer();
    const certificate = isMutual ? call.getAuthContext().sslPeerCertificate : undefined;
    const check = (from: number, clusterId: string): ForeignNodeError | null =>
      isMutual ? mismatch(tls, certificate, from, clusterId) : null;
    try {
      const { from, clusterId } = readMeta(call);
      const foreign = check(from, clusterId);
      if (foreign !== null) throw foreign;
      const closed = connections.opened(peer);
      const key = `${way} ${from}`;
      let last: RequestHeader | null = null;
      const stream = new ServedStream<C>(call, {
        way,
        raft,
        codecs,
        config,
        mismatch: (header) => {
          // The same object as long as the header stays the same.
          if (header === last) return null;
          const error = check(header.from, header.clusterId);
          if (error === null) last = header;
          return error;
        },
        ended: () => {
          closed();
          streams.remove(key, stream);
          logger.log("debug", "grpc.stream.ended", { peer: from, way });
        },
      });
      streams.add(key, stream);
    } catch (thrown) {
      const error = thrown as Error;
      const isForeign = error instanceof ForeignNodeError;
      logger.log(isForeign ? "warn" : "debug", "grpc.stream.refused", {
        address: peer,
        way,
        error: error.message,
      });
      refuse(call, error, isForeign ? status.PERMISSION_DENIED : status.INVALID_ARGUMENT);
    }
  };

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
      streams.endAll();
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

function methodOf(way: Way): ServiceDefinition[string] {
  const same = (buffer: Buffer): Buffer => buffer;
  return {
    path: PATHS[way],
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

const SERVICE: ServiceDefinition = {
  control: methodOf("control"),
  replicate: methodOf("replicate"),
  snapshot: methodOf("snapshot"),
};

/** Who opens a stream, as they say. */
function readMeta(call: ServerDuplexStream<Buffer, Buffer>): {
  readonly from: number;
  readonly clusterId: string;
} {
  const text = (name: string): string => {
    const [value] = call.metadata.get(name);
    if (typeof value !== "string") throw new InvalidValueError(name, value, "given at the start of a stream");
    return value;
  };
  const from = Number(text(META.from));
  if (!Number.isSafeInteger(from) || from < 0) throw new InvalidValueError(META.from, from, "a node id");
  try {
    return { from, clusterId: decodeURIComponent(text(META.cluster)) };
  } catch (thrown) {
    throw thrown instanceof InvalidValueError
      ? thrown
      : new InvalidValueError(META.cluster, text(META.cluster), "a percent-encoded text");
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
