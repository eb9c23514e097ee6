import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream, Http2Server, ServerHttp2Stream } from "node:http2";
import { connect, constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Request, Response } from "../src/generated/seshat/raft/v1/raft_pb.js";
import { RequestSchema, ResponseSchema } from "../src/generated/seshat/raft/v1/raft_pb.js";
import type { Way } from "../src/service.js";
import { META, PATHS } from "../src/service.js";

/** A message as gRPC frames it; `length` may lie. */
export function frame(message: Uint8Array, length: number = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

export function request(init: MessageInitShape<typeof RequestSchema>): Buffer {
  return frame(toBinary(RequestSchema, create(RequestSchema, init)));
}

function response(init: MessageInitShape<typeof ResponseSchema>): Buffer {
  return frame(toBinary(ResponseSchema, create(ResponseSchema, init)));
}

/** Takes whole messages off the front of a stream. */
export function* unframe(buffered: { bytes: Buffer }): Generator<Buffer> {
  for (;;) {
    const { bytes } = buffered;
    const end = bytes.length < 5 ? Infinity : 5 + bytes.readUInt32BE(1);
    if (end > bytes.length) return;
    buffered.bytes = bytes.subarray(end);
    yield bytes.subarray(5, end);
  }
}

/** Speaks HTTP/2 to a listener as nobody's client would. */
export class RawClient implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  constructor(address: string, settings: Parameters<typeof connect>[1] = {}) {
    this.#session = connect(`http://${address}`, settings);
    this.#session.on("error", () => {});
  }

  open(way: string, headers: Record<string, string> = META_OF_ONE): RawStream {
    const path = way in PATHS ? PATHS[way as Way] : way;
    const stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return new RawStream(stream);
  }

  get closed(): Promise<unknown> {
    return this.#session.destroyed ? Promise.resolve() : once(this.#session, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.destroy();
    await this.closed;
  }
}

const META_OF_ONE = { [META.cluster]: "seshat", [META.from]: "1", [META.to]: "2" };

export class RawStream {
  readonly stream: ClientHttp2Stream;
  /** What the stream ended with: `grpc-status`, or what HTTP/2 says. */
  readonly status: Promise<string>;
  readonly #answers: Response[] = [];
  #waiting: (() => void) | null = null;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.status = promise;
    const look = (headers: object): void => {
      const status = (headers as Record<string, string | undefined>)["grpc-status"];
      if (status !== undefined) resolve(status);
    };
    stream.on("response", look);
    stream.on("trailers", look);
    stream.on("error", () => {});
    stream.on("close", () => resolve(`closed ${stream.rstCode}`));
    const buffered = { bytes: Buffer.alloc(0) };
    stream.on("data", (chunk: Buffer) => {
      buffered.bytes = Buffer.concat([buffered.bytes, chunk]);
      for (const message of unframe(buffered)) this.#answers.push(fromBinary(ResponseSchema, message));
      this.#waiting?.();
    });
  }

  send(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** The first so many answers. */
  async answers(count: number): Promise<readonly Response[]> {
    while (this.#answers.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#answers.slice(0, count);
  }
}

/** A request as a raw server sees it, and the way to answer it. */
export interface RawRequest {
  readonly request: Request;
  readonly stream: ServerHttp2Stream;
  readonly answer: (init: MessageInitShape<typeof ResponseSchema>) => void;
}

/** Listens as nobody's node would. */
export class RawServer implements AsyncDisposable {
  readonly #server: Http2Server;
  readonly address: string;
  readonly #streams = new Set<ServerHttp2Stream>();

  private constructor(server: Http2Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("stream", (stream) => {
      this.#streams.add(stream);
      stream.on("error", () => {});
      stream.on("close", () => this.#streams.delete(stream));
    });
  }

  /** @param accept what becomes of a stream; by default it is accepted, and each request goes to `serve`. */
  static async start(
    serve: (request: RawRequest) => void,
    accept: (stream: ServerHttp2Stream) => boolean = () => true,
    settings: { readonly initialWindowSize?: number } = {},
  ): Promise<RawServer> {
    const server = createServer({ settings });
    server.on("sessionError", () => {});
    server.on("stream", (stream: ServerHttp2Stream) => {
      if (!accept(stream)) return;
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      const buffered = { bytes: Buffer.alloc(0) };
      stream.on("data", (chunk: Buffer) => {
        buffered.bytes = Buffer.concat([buffered.bytes, chunk]);
        for (const message of unframe(buffered)) {
          serve({
            request: fromBinary(RequestSchema, message),
            stream,
            answer: (init) => void stream.write(response(init)),
          });
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const stream of this.#streams) stream.session?.destroy(undefined, constants.NGHTTP2_CANCEL);
    await closed;
  }
}
