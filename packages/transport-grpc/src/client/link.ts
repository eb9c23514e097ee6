import type { NodeId, RequestHeader, ResponseHeader } from "@seshat/common";
import { ForeignNodeError, InvalidValueError, UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import type { GrpcConfig } from "../config.js";
import type { Response } from "../generated/seshat/raft/v1/raft_pb.js";
import { OpenCalls } from "../open-calls.js";
import { release } from "../release.js";
import type { Way } from "../service.js";
import { PATHS, maxBytes } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { RequestWriter, ResponseReader } from "../wire/envelope.js";
import { errorFromWire } from "../wire/errors.js";
import type { RequestBody } from "../wire/methods.js";
import type { LinkEvents } from "./lane.js";
import { PeerStream } from "./peer-stream.js";

/** Where a link leads, and how. */
export interface LinkParts extends LinkEvents {
  readonly way: Way;
  readonly target: NodeId;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
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

/** The requests of Raft on one stream. */
export class Link {
  readonly #parts: LinkParts;
  readonly #clusterId: string;
  readonly #stream: PeerStream;
  readonly #writer = new RequestWriter();
  readonly #reader = new ResponseReader();
  readonly #calls = new OpenCalls<Call>((_, call) => this.#expired(call));
  #bytes = 0;
  /** Answers so far, in time or not. */
  #heard = 0;

  /** @param header of the first request: who connects, and to whom. */
  constructor(parts: LinkParts, header: RequestHeader) {
    this.#parts = parts;
    this.#clusterId = header.clusterId;
    const { way, config } = parts;
    const { clusterId, from } = header;
    this.#stream = new PeerStream(
      { ...parts, path: PATHS[way], maxBytes: maxBytes(way, config) },
      { clusterId, from, to: parts.target },
      {
        connected: () => {},
        received: (buffer) => this.#receive(buffer),
        ended: (error) => {
          for (const call of this.#calls.takeAll()) call.failed(error);
          parts.ended(error);
        },
      },
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
    const id = this.#calls.nextId();
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
    this.#stream.write(bytes, () => {
      call.flushed = true;
      release(bytes);
    });
  }

  /** Ends the link. What has no answer yet has failed. */
  end(error: Error): void {
    this.#stream.end(error);
  }

  #receive(buffer: Buffer): void {
    try {
      const { id, header, body } = this.#reader.read(buffer);
      this.#heard++;
      const call = this.#calls.get(id);
      // It came too late.
      if (call === undefined) return;
      this.#settle(id, call, header, body);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#stream.over(`an answer makes no sense: ${why}`, thrown);
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
    if (!call.flushed) this.#stream.over("a request could not be sent in time");
    // Not this request alone goes without an answer. There may be nobody at the other end of the stream, though its connection lives.
    else if (call.heardBefore === this.#heard) this.#stream.over("it answers nothing");
  }
}
