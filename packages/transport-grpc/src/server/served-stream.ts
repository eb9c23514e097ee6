import type { ServerDuplexStream } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import type { RaftTypeConfig, RequestHeader, ResponseHeader, ForeignNodeError } from "@seshat/common";
import { InvalidValueError, UnreachableError } from "@seshat/common";
import type { GrpcConfig } from "../config.js";
import type { Request } from "../generated/seshat/raft/v1/raft_pb.js";
import { OpenCalls } from "../open-calls.js";
import { release } from "../release.js";
import type { Way } from "../service.js";
import { ERROR_TRAILER, asBuffer, deadlineKind, goes, maxBytes } from "../service.js";
import { RequestReader, ResponseWriter } from "../wire/envelope.js";
import { errorToBytes, errorToWire } from "../wire/errors.js";
import type { Method, MethodCodecs, RaftHandlers, ResponseOf } from "../wire/methods.js";
import type { Room } from "./rooms.js";

/** What the requests of a stream are answered with. */
export interface ServedParts<C extends RaftTypeConfig> {
  readonly way: Way;
  readonly raft: RaftHandlers<C>;
  readonly codecs: MethodCodecs<C>;
  readonly config: GrpcConfig;
  readonly room: Room;
  /** Says why a sender is not who the connection is from, or null. */
  mismatch(header: RequestHeader): ForeignNodeError | null;
  /** Told once. */
  ended(): void;
}

/** The requests of one stream: each is handed over in its turn, and answered when it is done. */
export class ServedStream<C extends RaftTypeConfig> {
  readonly #parts: ServedParts<C>;
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #reader = new RequestReader();
  readonly #writer = new ResponseWriter();
  /** Requests at work, by a number of our own: what peers number may repeat. The value is the peer's. */
  readonly #atWork = new OpenCalls<number>((_, id) =>
    this.#fail(id, new UnreachableError(this.#self, "no answer in time")),
  );
  /** Answers that the peer has not taken yet. */
  #unsent = 0;
  #count = 0;
  /** This node, as it was last addressed. */
  #self = 0;
  readonly #leaveRoom: () => void;
  #paused = false;
  #ended = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, parts: ServedParts<C>) {
    this.#parts = parts;
    this.#call = call;
    this.#leaveRoom = parts.room.use(() => this.#breathe());
    call.on("data", (buffer: Buffer) => this.#receive(buffer));
    call.on("end", () => this.end());
    call.on("cancelled", () => this.#over());
    call.on("close", () => this.#over());
    call.on("error", () => this.#over());
    // The peer knows by it that it is connected.
    call.sendMetadata(new Metadata());
    // What an earlier stream brought may still be at work.
    this.#breathe();
  }

  /** Ends the stream, with an error that says why if there is one. */
  end(error?: Error, code: status = status.ABORTED): void {
    if (this.#ended) return;
    this.#over();
    if (error === undefined) this.#call.end();
    else refuse(this.#call, error, code);
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#atWork.takeAll();
    this.#leaveRoom();
    this.#parts.ended();
  }

  #receive(buffer: Buffer): void {
    if (this.#ended) return;
    const { way, config } = this.#parts;
    let request;
    try {
      const limit = maxBytes(way, config);
      if (buffer.length > limit)
        throw new InvalidValueError("request", `${buffer.length} bytes`, `at most ${limit} bytes`);
      request = this.#reader.read(buffer);
    } catch (thrown) {
      // What cannot be read cannot be answered, and what follows may be as wrong.
      this.end(thrown as Error, status.INVALID_ARGUMENT);
      return;
    }
    this.#serve(request.id, request.header, request.body, buffer);
    this.#breathe();
  }

  #serve(id: number, header: RequestHeader, body: Request["body"], message: Buffer): void {
    const method = body.case;
    if (method === undefined || !goes(this.#parts.way, method)) {
      // A later version may ask for more: it can be told, and goes on.
      this.#fail(id, new InvalidValueError("request.body", method, `what goes by ${this.#parts.way}`));
      return;
    }
    const work = ++this.#count;
    const { room } = this.#parts;
    // Of a message that is freed nothing can be told any more.
    const { length } = message;
    room.enter(length);
    this.#self = header.to;
    this.#atWork.add(work, this.#parts.config.deadlinesMs[deadlineKind(this.#parts.way, method)], id);
    this.#answer(method, header, body).then(
      (response) => {
        room.leave(length);
        // A part of a snapshot was taken in then, or is not wanted: see RaftHandlers. Of any other answer that is not certain.
        if (method === "installSnapshot" && "type" in response && response.type === "progress")
          release(message);
        this.#settle(work, method, response);
      },
      (thrown: unknown) => {
        room.leave(length);
        if (this.#atWork.take(work) !== undefined) this.#fail(id, thrown);
      },
    );
  }

  /** Hands a request over, within this call. */
  #answer(method: Method, header: RequestHeader, { value }: Request["body"]): Promise<SignedResponse> {
    const { raft, codecs } = this.#parts;
    try {
      const foreign = this.#parts.mismatch(header);
      if (foreign !== null) throw foreign;
      const request = codecs[method].decodeRequest(value as never);
      return (raft[method] as (request: unknown) => Promise<SignedResponse>)({ ...request, header });
    } catch (thrown) {
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #settle(work: number, method: Method, response: SignedResponse): void {
    const id = this.#atWork.take(work);
    // It came too late.
    if (id === undefined) return;
    try {
      this.#send(
        this.#writer.write(id, response.header, this.#parts.codecs[method].encodeResponse(response as never)),
      );
    } catch (thrown) {
      this.#fail(id, thrown);
    }
  }

  #fail(id: number, thrown: unknown): void {
    this.#send(this.#writer.write(id, null, { case: "error", value: errorToWire(thrown) }));
  }

  #send(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#unsent++;
    this.#call.write(asBuffer(bytes), () => {
      this.#unsent--;
      this.#breathe();
    });
  }

  /** Takes no more from a peer than is answered, and the answers taken: the rest stays in the socket. */
  #breathe(): void {
    if (this.#ended) return;
    const { room, config } = this.#parts;
    const isFull =
      this.#atWork.size + this.#unsent >= config.maxInFlightRequests || room.bytes >= config.maxInFlightBytes;
    if (isFull === this.#paused) return;
    this.#paused = isFull;
    if (isFull) this.#call.pause();
    else this.#call.resume();
  }
}

type SignedResponse = ResponseOf<RaftTypeConfig, Method> & { readonly header: ResponseHeader };

/** Ends a call with an error that its caller can read. */
export function refuse(call: ServerDuplexStream<Buffer, Buffer>, error: Error, code: status): void {
  const metadata = new Metadata();
  metadata.set(ERROR_TRAILER, asBuffer(errorToBytes(error)));
  call.emit("error", { code, details: error.message.toWellFormed(), metadata });
}
