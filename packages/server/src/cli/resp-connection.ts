import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import type { RespValue } from "@seshat/resp";
import { RespProtocolError, RespReplyParser, encodeCommand } from "@seshat/resp";
import { hostAndPort } from "../cluster/host-and-port.js";
import { isErrorReply } from "../commands/error-reply.js";
import { CliError } from "./exit-codes.js";

/** Where a server is, and how to be let in. */
export interface Target {
  /** `host:port`, for clients. */
  readonly address: string;
  readonly password: string | null;
  /** How long to wait for a connection or an answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** An error that a server answered. */
export class ReplyError extends CliError {
  /** Its first word. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "ERR";
  }
}

interface Waiting {
  resolve(reply: RespValue): void;
  reject(error: Error): void;
}

/** A connection to a server: one command line, and any number of commands under way. */
export class RespConnection implements Disposable {
  readonly #target: Target;
  readonly #socket: Socket;
  readonly #parser = new RespReplyParser();
  readonly #waiting: Waiting[] = [];

  private constructor(target: Target, socket: Socket) {
    this.#target = target;
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new CliError(`${target.address} has closed the connection`)));
  }

  /** @throws {CliError} when nobody answers there, or the password is wrong. */
  static async open(target: Target): Promise<RespConnection> {
    const [host, port] = hostAndPort(target.address);
    const socket = connect({ host, port: Number(port), noDelay: true });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(target.timeoutMs) });
    } catch (error) {
      socket.destroy();
      const why = error instanceof Error && error.name !== "AbortError" ? error.message : "no answer";
      throw new CliError(`cannot connect to ${target.address}: ${why}`);
    }
    const connection = new RespConnection(target, socket);
    try {
      if (target.password !== null) await connection.call("AUTH", target.password);
    } catch (error) {
      // Nobody else ends it, and the program would not end before.
      socket.destroy();
      throw error;
    }
    return connection;
  }

  /** Sends a command. @throws {ReplyError} when the reply is an error. @throws {CliError} when none comes. */
  async call(...args: readonly (string | number)[]): Promise<RespValue> {
    const timeout = setTimeout(
      () => this.#socket.destroy(new CliError(`${this.#target.address} did not answer in time`)),
      this.#target.timeoutMs,
    );
    try {
      const reply = await this.send(encodeCommand(args));
      if (isErrorReply(reply)) throw new ReplyError(reply.message);
      return reply;
    } finally {
      clearTimeout(timeout);
    }
  }

  /** Sends a command that is encoded already. @returns its reply, whatever it is. */
  send(command: Uint8Array): Promise<RespValue> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(command);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #received(chunk: Uint8Array): void {
    this.#parser.push(chunk);
    try {
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
        this.#waiting.shift()?.resolve(reply);
      }
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      const message = `${this.#target.address} does not speak as a server does to its clients: ${error.message}`;
      this.#socket.destroy(new CliError(message));
    }
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}

/** A reply that has to be text. */
export function textOf(reply: RespValue): string {
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  throw new CliError("the answer is none that this program understands: is it a Seshat server?");
}
