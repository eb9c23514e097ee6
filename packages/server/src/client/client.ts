import type { Socket } from "node:net";
import type { RespValue, RespVersion } from "@seshat/resp";
import { RespCommandParser, RespProtocolError, RespWriter } from "@seshat/resp";
import { CommandError, wrongArity } from "../commands/command-error.js";
import type { Route } from "../commands/command-table.js";
import { fitsArity } from "../commands/command-table.js";
import { NO_REPLY } from "../commands/local-command.js";
import { word } from "../commands/text.js";
import { unknownCommand, unknownSubcommand } from "../commands/unknown-command.js";
import type { Owner } from "../gateway/lane.js";
import type { Args, ReadOp, WriteOp } from "../gateway/op.js";
import { sizeOfArgs } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import type { ClientState } from "./client-state.js";
import { newClientState } from "./client-state.js";

/** How much of one client may be under way. Fewer reads: what they answer may be large. */
const MAX_IN_FLIGHT = { write: 1024, read: 256 } as const;
/** Below that much it is given more to do again. */
const REFILL_IN_FLIGHT = { write: 512, read: 128 } as const;
/** Commands that were read and not begun: with more of them, the socket is not read. */
const MAX_BUFFERED_BYTES = 256 * 1024;
/** Replies that the socket has not taken: with more of them, nothing is begun. */
const MAX_UNSENT_BYTES = 1024 * 1024;

interface Deferred {
  /** Said once so many operations were answered. */
  readonly after: number;
  readonly reply: RespValue;
}

/**
 * One connection: commands in, replies out in their order.
 *
 * Operations that go the same way are under way together. Before a write everything that was read is answered, and what is read behind
 * writes goes the way of the writes: so a read sees every write before it in the pipeline and none after it.
 */
export class Client implements Owner {
  readonly id: number;
  readonly state: ClientState;
  readonly #socket: Socket;
  readonly #server: ServerContext;
  readonly #parser: RespCommandParser;
  readonly #writer = new RespWriter();
  /** A command that has to wait. */
  #held: Uint8Array[] | null = null;
  /** Which way the operations under way went. */
  #lane: "write" | "read" = "write";
  #issued = 0;
  #answered = 0;
  /** Replies that wait for those of the operations before them. */
  #deferred: Deferred[] = [];
  /** True while a command that takes its time is carried out. */
  #isBusy = false;
  #isDirty = false;
  /** What it counts among the unsent bytes of all clients. */
  #unsentBytes = 0;
  #isClogged = false;
  #isPaused = false;
  /** Nothing more is begun; the connection ends once everything was said. */
  #isEnding = false;
  /** The other side says nothing more: it ends once everything that it has said was answered. */
  #isHalfOpen = false;
  #isClosed = false;

  constructor(id: number, socket: Socket, server: ServerContext) {
    this.id = id;
    this.#socket = socket;
    this.#server = server;
    const { password, maxBulkBytes, maxCommandBytes } = server.limits;
    this.state = newClientState(socket, password === "", server.now());
    this.#parser = new RespCommandParser({ maxBulkBytes, maxCommandBytes });
    this.#parser.unauthenticated = password !== "";
    socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#inputEnded());
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.#closed());
  }

  /** The protocol that replies are written in. */
  get version(): RespVersion {
    return this.state.version;
  }

  set version(version: RespVersion) {
    this.state.version = version;
  }

  /** The client has said who it is. */
  authenticate(): void {
    this.state.isAuthenticated = true;
    this.#parser.unauthenticated = false;
  }

  /** It has to say again who it is. */
  forget(): void {
    this.state.isAuthenticated = false;
    this.#parser.unauthenticated = true;
  }

  /** Bytes that were read and wait, and bytes that were not taken yet. */
  get buffered(): { readonly input: number; readonly output: number } {
    return { input: this.#parser.bufferedBytes, output: this.#writer.length + this.#socket.writableLength };
  }

  /** How many operations are under way. */
  get inFlight(): number {
    return this.#issued - this.#answered;
  }

  /** The reply to the oldest operation under way. */
  deliver(reply: RespValue): void {
    this.#answered += 1;
    if (this.state.onReply.length === 0) this.#write(reply);
    else this.#write(this.#transformed(reply));
    if (this.#deferred.length > 0) this.#sayDeferred();
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#server.outbox.add(this);
  }

  /** Something was delivered: writes it out, and goes on. */
  flush(): void {
    this.#isDirty = false;
    if (this.#writer.length > MAX_UNSENT_BYTES) this.#send();
    // What can be answered at once goes out together with what was.
    if (this.inFlight <= REFILL_IN_FLIGHT[this.#lane]) this.#advance();
    this.#send();
  }

  resume(): void {
    this.#advance();
    this.#send();
  }

  /** Ends the connection once everything under way was answered. */
  end(): void {
    this.#isEnding = true;
    // What asked for it is answered first.
    queueMicrotask(() => this.#finish());
  }

  /** Ends it now. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Says something that nobody asked for, after all that was asked for before. */
  push(value: RespValue): void {
    this.#say(value);
    this.#send();
  }

  /** Sends a write. @param make makes the reply out of what was answered. */
  write(op: WriteOp, bytes: number, make?: (reply: RespValue) => RespValue): void {
    this.#issue("write", make);
    this.#server.gateway.writes.add(op, bytes, this);
  }

  /** Sends a read. */
  read(op: ReadOp, bytes: number, make?: (reply: RespValue) => RespValue): void {
    this.#issue("read", make);
    this.#server.gateway.reads.add(op, bytes, this);
  }

  #issue(lane: "write" | "read", make?: (reply: RespValue) => RespValue): void {
    this.#lane = lane;
    this.#issued += 1;
    if (make !== undefined) this.state.onReply.push({ number: this.#issued, make });
  }

  #transformed(reply: RespValue): RespValue {
    const [first] = this.state.onReply;
    if (first?.number !== this.#answered) return reply;
    this.state.onReply.shift();
    return first.make(reply);
  }

  #received(chunk: Uint8Array): void {
    const { state } = this;
    state.lastActiveMs = this.#server.now();
    this.#server.stats.inputBytes += chunk.length;
    if (this.#isEnding) return;
    this.#parser.push(chunk);
    this.#advance();
    this.#send();
  }

  /** Begins what can be begun. */
  #advance(): void {
    while (!this.#isBusy && !this.#isClogged && !this.#isEnding) {
      const args = this.#held ?? this.#next();
      if (args === null) break;
      this.#held = null;
      if (!this.#begin(args)) {
        this.#held = args;
        break;
      }
    }
    const mustWait = this.#held !== null || this.#isBusy || this.#isClogged;
    const full = mustWait && this.#parser.bufferedBytes > MAX_BUFFERED_BYTES;
    if (full !== this.#isPaused) {
      this.#isPaused = full;
      if (full) this.#socket.pause();
      else this.#socket.resume();
    }
  }

  #next(): Uint8Array[] | null {
    try {
      return this.#parser.next();
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      this.#say({ type: "error", message: `ERR Protocol error: ${error.message}` });
      this.#isEnding = true;
      return null;
    }
  }

  /** @returns false when the command has to wait for what is under way. */
  #begin(args: Uint8Array[]): boolean {
    const found = this.#server.table.find(args[0] as Uint8Array);
    const { state } = this;
    const problem = this.#problem(found, args);
    if (problem !== null) {
      // Also a command that is not queued: EXEC with an argument.
      if (state.transaction !== null) state.transaction.isBroken = true;
      const isExec = found?.spec.name === "exec";
      const message = isExec
        ? `EXECABORT Transaction discarded because of: ${problem.replace(/^ERR /, "")}`
        : problem;
      if (isExec) {
        state.transaction = null;
        state.watched.clear();
      }
      this.#server.stats.failed(message);
      this.#say({ type: "error", message });
      return true;
    }
    const route = found as Route;
    if (state.transaction !== null && !(route.route === "local" && route.spec.isImmediate)) {
      const refusal = state.transaction.add(route, args);
      this.#say(refusal === null ? { type: "simple", text: "QUEUED" } : { type: "error", message: refusal });
      return true;
    }
    if (route.route === "local") return this.#runLocal(route, args);
    if (state.readsLocally && route.route === "read" && this.inFlight === 0) {
      this.#count(route);
      this.#say(this.#server.readLocally(args));
      return true;
    }
    // A read behind a write that is under way goes into the log with it: it sees that write, and need not wait for it.
    const lane = this.inFlight > 0 && this.#lane === "write" ? "write" : route.route;
    if (this.#mustWait(lane)) return false;
    this.#count(route);
    if (lane === "write") this.write({ type: "command", args }, sizeOfArgs(args));
    else this.read(args, sizeOfArgs(args));
    return true;
  }

  #problem(found: Route | null, args: Args): string | null {
    if (found === null) return unknownCommand(args);
    const { spec } = found;
    if (!fitsArity(spec, args.length)) return wrongArity(spec.name).message;
    if (spec.subcommands !== undefined && args.length > 1) {
      const name = `${spec.name}|${word(args, 1)}`;
      const inner = spec.subcommands.find((sub) => sub.name === name);
      if (inner === undefined) return unknownSubcommand(args);
      if (!fitsArity(inner, args.length)) return wrongArity(name).message;
    }
    if (!this.state.isAuthenticated && !spec.flags.includes("no_auth")) {
      return "NOAUTH Authentication required.";
    }
    const isLocal = found.route === "local" || (found.route === "read" && this.state.readsLocally);
    if (this.state.redirects && !isLocal) return this.#server.redirection(spec, args);
    if (this.state.transaction !== null && spec.flags.includes("no_multi")) {
      return "ERR Command not allowed inside a transaction";
    }
    return null;
  }

  #mustWait(lane: "write" | "read"): boolean {
    const { inFlight } = this;
    if (inFlight > 0 && this.#lane !== lane) return true;
    if (inFlight >= MAX_IN_FLIGHT[lane]) return true;
    const { writes, reads } = this.#server.gateway;
    return !(lane === "write" ? writes : reads).admits(this);
  }

  #runLocal(route: Extract<Route, { route: "local" }>, args: Args): boolean {
    const { spec } = route;
    if (spec.lane === "none" ? this.inFlight > 0 : spec.lane !== "any" && this.#mustWait(spec.lane))
      return false;
    this.#count(route);
    try {
      const reply = spec.run(this, args, this.#server);
      if (reply instanceof Promise) this.#await(reply);
      else if (reply !== NO_REPLY) this.#say(reply);
    } catch (error) {
      this.#say(this.#errorReply(error));
    }
    return true;
  }

  #await(reply: Promise<RespValue | typeof NO_REPLY>): void {
    this.#isBusy = true;
    reply
      .catch((error: unknown) => this.#errorReply(error))
      .then((value) => {
        this.#isBusy = false;
        if (value !== NO_REPLY) this.#say(value);
        this.#advance();
        this.#send();
      })
      .catch(() => this.destroy());
  }

  #errorReply(error: unknown): RespValue {
    if (error instanceof CommandError) return { type: "error", message: error.message };
    this.#server.logger.log("error", "client.command.failed", { error: String(error) });
    return { type: "error", message: `ERR ${error instanceof Error ? error.message : "internal error"}` };
  }

  #count(route: Route): void {
    route.calls += 1;
    this.#server.stats.commands += 1;
    this.state.lastCommand = route.spec.name;
  }

  /** A reply, in its place. */
  #say(reply: RespValue): void {
    if (this.inFlight === 0) this.#write(reply);
    else this.#deferred.push({ after: this.#issued, reply });
  }

  #sayDeferred(): void {
    let said = 0;
    for (const { after, reply } of this.#deferred) {
      if (after > this.#answered) break;
      this.#write(reply);
      said += 1;
    }
    if (said > 0) this.#deferred = this.#deferred.slice(said);
  }

  #write(reply: RespValue): void {
    const { state } = this;
    if (state.replies !== "on") {
      if (state.replies === "skip") state.replies = "on";
      return;
    }
    try {
      this.#writer.write(reply, state.version);
    } catch (error) {
      // A reply that cannot be written is a mistake of ours, and no reason to end the others.
      this.#server.logger.log("error", "client.reply.failed", { client: this.id, error: String(error) });
      this.destroy();
    }
  }

  #send(): void {
    const { length } = this.#writer;
    if (length > 0 && !this.#isClosed) {
      this.#server.stats.outputBytes += length;
      const socket = this.#socket;
      const parts = this.#writer.take();
      if (parts.length === 1) socket.write(parts[0] as Uint8Array);
      else {
        socket.cork();
        for (const part of parts) socket.write(part);
        socket.uncork();
      }
      if (!this.#mayKeep(socket.writableLength)) {
        this.#server.logger.log("warn", "client.output.overflow", {
          client: this.id,
          bytes: socket.writableLength,
        });
        this.destroy();
        return;
      }
      this.#isClogged = socket.writableLength > MAX_UNSENT_BYTES;
    }
    this.#finish();
  }

  /** Counts what the socket has not taken. @returns false when that is too much. */
  #mayKeep(unsent: number): boolean {
    const { outbox, limits } = this.#server;
    // What is taken at once is not worth counting.
    const counted = unsent > MAX_UNSENT_BYTES ? unsent : 0;
    outbox.unsentBytes += counted - this.#unsentBytes;
    this.#unsentBytes = counted;
    return (
      unsent <= limits.maxOutputBytes && (counted === 0 || outbox.unsentBytes <= limits.maxTotalOutputBytes)
    );
  }

  #drained(): void {
    this.#mayKeep(this.#socket.writableLength);
    this.#isClogged = false;
    this.#advance();
    this.#send();
  }

  #inputEnded(): void {
    this.#isHalfOpen = true;
    this.#finish();
  }

  /** Ends the connection if nothing is left to be done or said. */
  #finish(): void {
    const isDone = this.#isEnding || (this.#isHalfOpen && this.#held === null && !this.#isClogged);
    if (!isDone || this.inFlight > 0 || this.#isBusy || this.#isClosed) return;
    if (this.#writer.length > 0) this.#send();
    else this.#socket.end();
  }

  #closed(): void {
    this.#mayKeep(0);
    this.#isClosed = true;
    this.#isEnding = true;
    this.#held = null;
    this.#server.clients.remove(this);
  }
}
