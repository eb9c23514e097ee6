import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import type { RespValue } from "@seshat/resp";
import { RespReplyParser, encodeCommand } from "@seshat/resp";

/** No reply came: whatever was asked for may have been done. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
}

/** The server answered with an error. */
export class ErrorReply extends Error {
  override readonly name = "ErrorReply";
  /** Its first word. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "";
  }
}

interface Waiting {
  resolve(reply: RespValue): void;
  reject(error: Error): void;
}

export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** How long to wait for a connection or a reply, in milliseconds. */
  readonly timeoutMs: number;
}

/** A connection of a Redis client. Commands that are called before the replies of others are a pipeline. */
export class RedisConnection {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #parser = new RespReplyParser();
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on("data", (chunk: Uint8Array) => {
      this.#parser.push(chunk);
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
        this.#waiting.shift()?.resolve(reply);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      for (const waiting of this.#waiting.splice(0)) waiting.reject(new NoReplyError("the connection ended"));
    });
  }

  /** @returns null when nobody answers there: nothing was asked for. */
  static async open({
    host,
    port,
    password,
    timeoutMs,
  }: ConnectionSettings): Promise<RedisConnection | null> {
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) });
      const connection = new RedisConnection(socket, timeoutMs);
      await connection.call("AUTH", password);
      return connection;
    } catch {
      socket.on("error", () => {});
      socket.destroy();
      return null;
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @returns the reply as text; null for none.
   * @throws {ErrorReply} @throws {NoReplyError}
   */
  async call(...args: readonly string[]): Promise<string | null> {
    if (this.#isClosed) throw new NoReplyError("the connection ended");
    const timer = setTimeout(() => this.close(), this.#timeoutMs);
    try {
      const reply = await new Promise<RespValue>((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        this.#socket.write(encodeCommand(args));
      });
      return textOf(reply);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

function textOf(reply: RespValue): string | null {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("utf8");
  if (reply === null || typeof reply !== "object") return reply === null ? null : String(reply);
  if ("type" in reply && reply.type === "simple") return reply.text;
  if ("type" in reply && reply.type === "error") throw new ErrorReply(reply.message);
  if ("type" in reply && reply.type === "nullArray") return null;
  throw new Error("a reply of a kind that no command here has");
}
