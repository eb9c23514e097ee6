import type { Socket } from "node:net";
import type { RespValue, RespVersion } from "@seshat/resp";
import { RespWriter } from "@seshat/resp";
import type { ClientLimits } from "../server/limits.js";
import type { Stats } from "../server/stats.js";
import type { Outbox } from "./outbox.js";

/** Replies that the socket has not taken: with more of them, nothing is begun. */
export const MAX_UNSENT_BYTES: number = 1024 * 1024;

/** What the output of one client has to do with that of the others. */
export interface OutputSurroundings {
  readonly limits: ClientLimits;
  readonly outbox: Outbox;
  readonly stats: Stats;
}

/** The replies to one client, from values to its socket. */
export class ClientOutput {
  readonly #socket: Socket;
  readonly #around: OutputSurroundings;
  readonly #writer = new RespWriter();
  /** What it counts among the unsent bytes of all clients. */
  #counted = 0;
  #isClogged = false;

  constructor(socket: Socket, around: OutputSurroundings) {
    this.#socket = socket;
    this.#around = around;
  }

  /** Bytes that were not handed to the socket. */
  get length(): number {
    return this.#writer.length;
  }

  /** Bytes that the other side has not taken, as far as this process can tell. */
  get unsentBytes(): number {
    return this.#writer.length + this.#socket.writableLength;
  }

  /** True while the socket has enough to do. */
  get isClogged(): boolean {
    return this.#isClogged;
  }

  /** @throws {RangeError} when it is nested too deep. */
  write(reply: RespValue, version: RespVersion): void {
    this.#writer.write(reply, version);
  }

  /** Hands everything to the socket. @returns false when that has too much: the client is to be given up. */
  send(): boolean {
    const { length } = this.#writer;
    if (length === 0) return true;
    this.#around.stats.outputBytes += length;
    const socket = this.#socket;
    const parts = this.#writer.take();
    if (parts.length === 1) socket.write(parts[0] as Uint8Array);
    else {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
    this.#isClogged = socket.writableLength > MAX_UNSENT_BYTES;
    return this.#mayKeep(socket.writableLength);
  }

  /** The socket has taken everything. */
  drained(): void {
    this.#isClogged = false;
    this.#mayKeep(this.#socket.writableLength);
  }

  /** The socket is closed. */
  close(): void {
    this.#mayKeep(0);
    this.#writer.take();
  }

  /** Counts what the socket has not taken. @returns false when that is too much. */
  #mayKeep(unsent: number): boolean {
    const { outbox, limits } = this.#around;
    // What is taken at once is not worth counting.
    const counted = unsent > MAX_UNSENT_BYTES ? unsent : 0;
    outbox.unsentBytes += counted - this.#counted;
    this.#counted = counted;
    if (unsent > limits.maxOutputBytes) return false;
    return counted === 0 || outbox.unsentBytes <= limits.maxTotalOutputBytes;
  }
}
