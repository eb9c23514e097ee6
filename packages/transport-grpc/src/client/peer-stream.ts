import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { Client, Metadata } from "@grpc/grpc-js";
import type { ForeignNodeError, NodeId, SeshatError } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import { formatAddress } from "../address.js";
import type { GrpcConfig } from "../config.js";
import { ERROR_TRAILER, META, asBuffer } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { clientCredentials } from "../tls.js";
import { errorFromBytes } from "../wire/errors.js";

/** Who connects, and to whom. */
export interface Introduction {
  readonly clusterId: string;
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Where a stream leads, and how. */
export interface PeerStreamParts {
  /** The RPC. */
  readonly path: string;
  /** The largest message either way, in bytes. */
  readonly maxBytes: number;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
}

/** What a stream tells. Nothing within a call of it, but `ended` within `end`. */
export interface PeerStreamEvents {
  /** The peer has taken the stream. */
  connected(): void;
  received(message: Buffer): void;
  /** It is over: nothing follows. Told once. */
  ended(error: Error): void;
}

/** How much the peer may send that was not read yet. Answers are small. */
const FLOW_CONTROL_WINDOW = 1024 * 1024;

/** One stream to a peer over a connection of its own, from the attempt to connect to the end. It is never mended: a new one is made. */
export class PeerStream {
  readonly #target: NodeId;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #connecting: NodeJS.Timeout;
  readonly #events: PeerStreamEvents;
  #ended = false;
  /** Why the peer is not who was meant, where that is why the connection was not made. */
  #mistaken: ForeignNodeError | null = null;

  constructor(
    { path, maxBytes, address, tls, config }: PeerStreamParts,
    introduction: Introduction,
    events: PeerStreamEvents,
  ) {
    this.#target = introduction.to;
    this.#events = events;
    const credentials = clientCredentials(tls, introduction.to, introduction.clusterId, (error) => {
      this.#mistaken = error;
    });
    this.#client = new Client(`dns:${formatAddress(address)}`, credentials, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": maxBytes,
      "grpc.max_send_message_length": maxBytes,
      "grpc.keepalive_time_ms": config.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": config.keepaliveTimeoutMs,
      "grpc.enable_retries": 0,
      // Even without retries it says of what it keeps for them that it is written. It is to keep nothing.
      "grpc.per_rpc_retry_buffer_size": 0,
      "grpc.enable_channelz": 0,
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW,
    });
    this.#stream = this.#client.makeBidiStreamRequest<Buffer, Buffer>(
      path,
      (buffer) => buffer,
      (buffer) => buffer,
      introduce(introduction),
    );
    this.#stream.on("metadata", () => {
      clearTimeout(this.#connecting);
      if (!this.#ended) events.connected();
    });
    this.#stream.on("data", (buffer: Buffer) => {
      if (!this.#ended) events.received(buffer);
    });
    this.#stream.on("error", (error: ServiceError) =>
      this.end(this.#mistaken ?? toError(this.#target, error)),
    );
    this.#stream.on("end", () => this.over("the peer ended the stream"));
    this.#connecting = setTimeout(
      () => this.over(`no connection within ${config.connectTimeoutMs} ms`),
      config.connectTimeoutMs,
    );
  }

  /** @param flushed is called once nothing of the message is in this process any more; never when the stream ends before. */
  write(message: Uint8Array, flushed: () => void): void {
    if (this.#ended) return;
    this.#stream.write(asBuffer(message), () => {
      if (!this.#ended) flushed();
    });
  }

  /** Ends the stream. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#connecting);
    this.#stream.cancel();
    this.#client.close();
    this.#events.ended(error);
  }

  /** Ends it because the peer cannot be reached by it, or is somebody else. */
  over(why: string, cause?: unknown): void {
    this.end(
      this.#mistaken ?? new UnreachableError(this.#target, why, cause === undefined ? undefined : { cause }),
    );
  }
}

function introduce({ clusterId, from, to }: Introduction): Metadata {
  const metadata = new Metadata();
  metadata.set(META.cluster, encodeURIComponent(clusterId.toWellFormed()));
  metadata.set(META.from, String(from));
  metadata.set(META.to, String(to));
  return metadata;
}

/** What the peer said that was wrong, or that it cannot be reached. */
function toError(target: NodeId, error: ServiceError): SeshatError {
  const [trailer] = error.metadata?.get(ERROR_TRAILER) ?? [];
  if (trailer instanceof Uint8Array) {
    try {
      return errorFromBytes(trailer);
    } catch {
      // It said nothing that can be read.
    }
  }
  return new UnreachableError(target, error.details || error.message, { cause: error });
}
