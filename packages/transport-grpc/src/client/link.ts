import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { Client, Metadata } from "@grpc/grpc-js";
import type { NodeId, RequestHeader, ResponseHeader, SeshatError } from "@seshat/common";
import { ForeignNodeError, InvalidValueError, UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import { formatAddress } from "../address.js";
import type { GrpcConfig } from "../config.js";
import type { Response } from "../generated/seshat/raft/v1/raft_pb.js";
import { OpenCalls } from "../open-calls.js";
import type { Way } from "../service.js";
import { ERROR_TRAILER, META, PATHS, asBuffer, maxBytes } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { clientCredentials } from "../tls.js";
import { RequestWriter, ResponseReader } from "../wire/envelope.js";
import { errorFromBytes, errorFromWire } from "../wire/errors.js";
import type { RequestBody } from "../wire/methods.js";

/** Where a link leads, and how. */
export interface LinkParts {
  readonly way: Way;
  readonly target: NodeId;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
  /** The peer has answered. */
  answered(): void;
  /** The link is of no use any more. Told once. */
  ended(error: Error): void;
}

/** An answer that is none of an error. */
export interface Answer {
  readonly header: ResponseHeader;
  readonly body: Response["body"];
}

interface Call {
  readonly bytes: number;
  /** How many answers had come by then. */
  readonly heardBefore: number;
  /** False while the request, or a part of it, waits in this process. */
  flushed: boolean;
  /** May throw: then no correct peer has answered. */
  answered(answer: Answer): void;
  failed(error: Error): void;
}

/** Request ids start again after this one. */
const LAST_ID = 2 ** 32 - 1;

/** One stream to a peer over a connection of its own, from the attempt to connect to the end. It is never mended: a new one is made. */
export class Link {
  readonly #parts: LinkParts;
  readonly #clusterId: string;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #writer = new RequestWriter();
  readonly #reader = new ResponseReader();
  readonly #calls = new OpenCalls<Call>((_, call) => this.#expired(call));
  readonly #connecting: NodeJS.Timeout;
  #lastId = 0;
  #bytes = 0;
  /** Answers so far, in time or not. */
  #heard = 0;
  #end: Error | null = null;
  /** Why the peer is not who was meant, where that is why the connection was not made. */
  #mistaken: ForeignNodeError | null = null;

  /** @param header of the first request: who connects, and to whom. */
  constructor(parts: LinkParts, header: RequestHeader) {
    this.#parts = parts;
    const { way, target, address, tls, config } = parts;
    this.#clusterId = header.clusterId;
    const credentials = clientCredentials(tls, target, header.clusterId, (error) => {
      this.#mistaken = error;
    });
    const limit = maxBytes(way, config);
    this.#client = new Client(`dns:${formatAddress(address)}`, credentials, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": limit,
      "grpc.max_send_message_length": limit,
      "grpc.keepalive_time_ms": config.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": config.keepaliveTimeoutMs,
      "grpc.enable_retries": 0,
      "grpc.enable_channelz": 0,
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW,
    });
    this.#stream = this.#client.makeBidiStreamRequest<Buffer, Buffer>(
      PATHS[way],
      (buffer) => buffer,
      (buffer) => buffer,
      introduce(header),
    );
    this.#stream.on("metadata", () => clearTimeout(this.#connecting));
    this.#stream.on("data", (buffer: Buffer) => this.#receive(buffer));
    this.#stream.on("error", (error: ServiceError) => this.end(this.#mistaken ?? toError(target, error)));
    this.#stream.on("end", () => this.#over("the peer ended the stream"));
    this.#connecting = setTimeout(
      () => this.#over(`no connection within ${config.connectTimeoutMs} ms`),
      config.connectTimeoutMs,
    );
  }

  /**
   * Sends a request. `answered` or `failed` is called once, and not within this call.
   *
   * @throws when there is no room for it, it cannot be written, or the link is for another cluster.
   */
  send(
    header: RequestHeader,
    body: RequestBody,
    timeoutMs: number,
    outcome: Pick<Call, "answered" | "failed">,
  ): void {
    const { target, tls, config, way } = this.#parts;
    if (tls !== undefined && header.clusterId !== this.#clusterId) {
      throw new ForeignNodeError("the connection was made for another cluster");
    }
    if (this.#calls.size >= config.maxInFlightRequests) {
      throw new UnreachableError(target, `${this.#calls.size} requests are on their way already`);
    }
    const room = config.maxInFlightBytes - this.#bytes;
    // Told before it is encoded where that is certain.
    if (room <= 0) throw new UnreachableError(target, `${this.#bytes} bytes are on their way already`);
    const id = this.#nextId();
    const bytes = this.#writer.write(id, header, body, (length) => {
      const limit = maxBytes(way, config);
      if (length > limit)
        throw new InvalidValueError("request", `${length} bytes`, `at most ${limit} bytes (maxMessageBytes)`);
      if (length > room && this.#bytes > 0) {
        throw new UnreachableError(target, `${this.#bytes} bytes are on their way already`);
      }
    });
    const call: Call = { ...outcome, bytes: bytes.length, heardBefore: this.#heard, flushed: false };
    this.#calls.add(id, timeoutMs, call);
    this.#bytes += bytes.length;
    this.#stream.write(asBuffer(bytes), () => {
      call.flushed = true;
    });
  }

  /** Ends the link. What has no answer yet has failed. */
  end(error: Error): void {
    if (this.#end !== null) return;
    this.#end = error;
    clearTimeout(this.#connecting);
    this.#stream.cancel();
    this.#client.close();
    for (const call of this.#calls.takeAll()) call.failed(error);
    this.#parts.ended(error);
  }

  #over(why: string): void {
    this.end(this.#mistaken ?? new UnreachableError(this.#parts.target, why));
  }

  #receive(buffer: Buffer): void {
    if (this.#end !== null) return;
    try {
      const { id, header, body } = this.#reader.read(buffer);
      this.#heard++;
      const call = this.#calls.get(id);
      // It came too late.
      if (call === undefined) return;
      this.#settle(id, call, header, body);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.end(
        new UnreachableError(this.#parts.target, `an answer makes no sense: ${why}`, { cause: thrown }),
      );
    }
  }

  #settle(id: number, call: Call, header: ResponseHeader | null, body: Response["body"]): void {
    const settle = (): void => {
      this.#calls.take(id);
      this.#bytes -= call.bytes;
      this.#parts.answered();
    };
    if (body.case === "error") {
      settle();
      call.failed(errorFromWire(body.value));
      return;
    }
    if (header === null) throw new InvalidValueError("answer.header", null, "a header in the first answer");
    call.answered({ header, body });
    settle();
  }

  #expired(call: Call): void {
    this.#bytes -= call.bytes;
    call.failed(new UnreachableError(this.#parts.target, "no answer in time"));
    // The peer reads nothing: what waits for it here would never become less.
    if (!call.flushed) this.#over("a request could not be sent in time");
    // Not this request alone goes without an answer. There may be nobody at the other end of the stream, though its connection lives.
    else if (call.heardBefore === this.#heard) this.#over("it answers nothing");
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === LAST_ID ? 1 : this.#lastId + 1;
    while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }
}

/** How much the peer may send that was not read yet. Answers are small. */
const FLOW_CONTROL_WINDOW = 1024 * 1024;

function introduce({ clusterId, from, to }: RequestHeader): Metadata {
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
