import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { ChildError } from "../compare/run-child.js";

/** Kinds of frames, and flags (RFC 9113, sections 4 and 6). */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const HEAD_BYTES = 9;

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const WHOLE_WINDOW = 2 ** 31 - 1;
const FIRST_WINDOW = 65_535;
const INITIAL_WINDOW_SIZE = 4;
const HEADER_TABLE_SIZE = 1;

/** The answer to a call, with its prefix; null when it was refused. */
export type Answered = (message: Buffer | null) => void;

/**
 * Unary calls of gRPC on one connection, with as little work as they can be made with, so that what is measured is the server: a client library takes more
 * processor time for a call than etcd does. Headers are sent as literals, those of answers are not read: a call was refused when its
 * answer has no message.
 *
 * What is sent is small, and little of it is under way at once: it never fills the window of a server.
 */
export class GrpcConnection {
  readonly #socket: Socket;
  readonly #headers = new Map<string, Buffer>();
  readonly #calls = new Map<number, { readonly answered: Answered; message: Buffer | null }>();
  readonly #failed: (error: Error) => void;
  #rest: Buffer = Buffer.alloc(0);
  #lastStream = -1;
  #received = 0;

  private constructor(socket: Socket, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#failed = failed;
    socket.on("data", (chunk: Buffer) => this.#hear(chunk));
    socket.on("error", (error) => failed(error));
    socket.on("close", () => {
      if (this.#calls.size > 0) failed(new ChildError("a server ended a connection with calls under way"));
    });
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(HEADER_TABLE_SIZE, 0);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 6);
    settings.writeUInt32BE(WHOLE_WINDOW, 8);
    const window = Buffer.alloc(4);
    window.writeUInt32BE(WHOLE_WINDOW - FIRST_WINDOW);
    socket.write(
      Buffer.concat([
        Buffer.from(PREFACE),
        frame(SETTINGS, 0, 0, settings),
        frame(WINDOW_UPDATE, 0, 0, window),
      ]),
    );
  }

  /** @param failed is told of the first thing that goes wrong. */
  static async open(port: number, failed: (error: Error) => void): Promise<GrpcConnection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new GrpcConnection(socket, failed);
  }

  /** @param message with the prefix of gRPC. */
  call(path: string, message: Buffer, answered: Answered): void {
    const id = (this.#lastStream += 2);
    this.#calls.set(id, { answered, message: null });
    const headers = this.#headersOf(path);
    const both = Buffer.allocUnsafe(2 * HEAD_BYTES + headers.length + message.length);
    writeHead(both, 0, headers.length, HEADERS, END_HEADERS, id);
    headers.copy(both, HEAD_BYTES);
    writeHead(both, HEAD_BYTES + headers.length, message.length, DATA, END_STREAM, id);
    message.copy(both, 2 * HEAD_BYTES + headers.length);
    this.#socket.write(both);
  }

  close(): void {
    this.#calls.clear();
    this.#socket.destroy();
  }

  /** The headers of calls of a method, as literals that are not to be remembered (RFC 7541, section 6.2.2). */
  #headersOf(path: string): Buffer {
    let headers = this.#headers.get(path);
    if (headers === undefined) {
      headers = Buffer.concat([
        // `:method POST` and `:scheme http` stand in the static table, and so do the names of the next three.
        Buffer.from([0x83, 0x86]),
        Buffer.from([0x04]),
        text(path),
        Buffer.from([0x01]),
        text("localhost"),
        Buffer.from([0x0f, 0x10]),
        text("application/grpc"),
        Buffer.from([0x00]),
        text("te"),
        text("trailers"),
      ]);
      this.#headers.set(path, headers);
    }
    return headers;
  }

  #hear(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < HEAD_BYTES + length) break;
      const [type, flags] = [bytes[at + 3] as number, bytes[at + 4] as number];
      const id = bytes.readUInt32BE(at + 5) & WHOLE_WINDOW;
      this.#frame(type, flags, id, bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length));
      at += HEAD_BYTES + length;
    }
    this.#rest = bytes.subarray(at);
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === DATA || type === HEADERS) {
      const call = this.#calls.get(id);
      if (type === DATA) {
        this.#consumed(payload.length);
        if (call !== undefined)
          call.message = call.message === null ? payload : Buffer.concat([call.message, payload]);
      }
      if ((flags & END_STREAM) === 0 || call === undefined) return;
      this.#calls.delete(id);
      call.answered(call.message);
    } else if ((type === PING || type === SETTINGS) && (flags & ACK) === 0) {
      this.#socket.write(frame(type, ACK, 0, type === PING ? payload : Buffer.alloc(0)));
    } else if (type === RST_STREAM || type === GOAWAY) {
      this.#failed(new ChildError("etcd ended a call"));
    }
  }

  /** The window of a stream is never used up; that of the connection is opened again now and then. */
  #consumed(bytes: number): void {
    this.#received += bytes;
    if (this.#received < WHOLE_WINDOW / 4) return;
    const window = Buffer.alloc(4);
    window.writeUInt32BE(this.#received);
    this.#received = 0;
    this.#socket.write(frame(WINDOW_UPDATE, 0, 0, window));
  }
}

function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const whole = Buffer.alloc(HEAD_BYTES + payload.length);
  writeHead(whole, 0, payload.length, type, flags, id);
  payload.copy(whole, HEAD_BYTES);
  return whole;
}

function writeHead(to: Buffer, at: number, length: number, type: number, flags: number, id: number): void {
  to.writeUIntBE(length, at, 3);
  to[at + 3] = type;
  to[at + 4] = flags;
  to.writeUInt32BE(id, at + 5);
}

/** Shorter than 127 bytes, and not compressed. */
function text(value: string): Buffer {
  return Buffer.from([value.length, ...Buffer.from(value)]);
}
