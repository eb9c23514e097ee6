import type { Socket } from "node:net";
import { connect } from "node:net";
import { once } from "node:events";
import type { RespValue } from "@seshat/resp";
import { RespReplyParser, encodeCommand } from "@seshat/resp";

/** A client of a test: sends what it is told to, and gives out replies in their order. */
export class RespClient implements Disposable {
  readonly #socket: Socket;
  readonly #parser = new RespReplyParser();
  readonly #replies: RespValue[] = [];
  readonly #waiting: { resolve(reply: RespValue): void; reject(error: Error): void }[] = [];
  #isClosed = false;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = once(socket, "close").then(() => {});
    socket.on("data", (chunk: Uint8Array) => {
      this.#parser.push(chunk);
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#replies.push(reply);
        else waiting.resolve(reply);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      for (const waiting of this.#waiting.splice(0)) waiting.reject(new Error("the connection was closed"));
    });
  }

  static async connect(address: string): Promise<RespClient> {
    const at = address.lastIndexOf(":");
    const socket = connect({
      host: address.slice(0, at),
      port: Number(address.slice(at + 1)),
      noDelay: true,
    });
    await once(socket, "connect");
    return new RespClient(socket);
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** The next reply. */
  next(): Promise<RespValue> {
    const reply = this.#replies.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    if (this.#isClosed) return Promise.reject(new Error("the connection was closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Sends a command. @returns its reply, with byte strings as text. */
  async call(...args: readonly (string | Uint8Array)[]): Promise<unknown> {
    this.send(encodeCommand(args));
    return plain(await this.next());
  }

  /** Sends commands in one piece. @returns their replies. */
  async pipeline(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    this.send(Buffer.concat(commands.map((args) => encodeCommand(args))));
    const replies: unknown[] = [];
    for (const _ of commands) replies.push(plain(await this.next()));
    return replies;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A reply in the simplest words: text for bytes and statuses, an `Error` for an error. */
function plain(reply: RespValue): unknown {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("latin1");
  if (Array.isArray(reply)) return (reply as readonly RespValue[]).map(plain);
  if (typeof reply !== "object" || reply === null || !("type" in reply)) return reply;
  switch (reply.type) {
    case "simple":
      return reply.text;
    case "error":
      return new Error(reply.message);
    case "nullArray":
      return null;
    case "map":
    case "pairs":
      return Object.fromEntries(reply.entries.map(([key, value]) => [String(plain(key)), plain(value)]));
    case "set":
    case "push":
      return reply.items.map(plain);
    case "verbatim":
      return Buffer.from(reply.text).toString("latin1");
    case "double":
      return reply.value;
    case "bigNumber":
      return reply.value;
    default:
      return reply satisfies never;
  }
}
