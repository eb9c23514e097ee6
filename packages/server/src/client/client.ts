import type { Socket } from "node:net";
import type { RespValue, RespVersion } from "@seshat/resp";
import { RespCommandParser, RespProtocolError } from "@seshat/resp";
import { CommandError } from "../commands/command-error.js";
import type { Route } from "../commands/command-table.js";
import { NO_REPLY } from "../commands/local-command.js";
import { refusalOf } from "../commands/refusal.js";
import { isErrorReply } from "../commands/error-reply.js";
import { speaksHttp } from "../commands/speaks-http.js";
import type { Owner } from "../gateway/lane.js";
import type { Args, ReadOp, WriteOp } from "../gateway/op.js";
import { NOT_AT_ONCE, sizeOfArgs } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { ClientOutput, MAX_UNSENT_BYTES } from "./client-output.js";
import type { ClientState } from "./client-state.js";
import { newClientState } from "./client-state.js";

/** How much of one client may be under way. Fewer reads: what they answer may be large. */
const MAX_IN_FLIGHT = { write: 1024, read: 256 } as const;
/** Below that much it is given more to do again. */
const REFILL_IN_FLIGHT = { write: 512, read: 128 } as const;
/** Until a client's replies are known. */
const FIRST_REPLY_BYTES = 32 * 1024;
/** Commands that were read and not begun: with more of them, the socket is not read. */
const MAX_BUFFERED_BYTES = 256 * 1024;
/** Replies that may wait for the end of the turn. */
const MAX_KEPT_BYTES = 16 * 1024;
/** Replies that wait for those before them. */
const MAX_DEFERRED = 1024;

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
  readonly #output: ClientOutput;
  /** A command that has to wait. */
  #held: Uint8Array[] | null = null;
  /** Which way the operations under way went. */
  #lane: "write" | "read" = "write";
  #issued = 0;
  /** How large replies are to expect: who asks for large ones, and does not take them, has few under way. */
  #replyBytes = FIRST_REPLY_BYTES;
  #answered = 0;
  /** Replies that wait for those of the operations before them. */
  #deferred: Deferred[] = [];
  /** True while a command that takes its time is carried out. */
  #isBusy = false;
  #isDirty = false;
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
    this.#output = new ClientOutput(socket, server);
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
    return { input: this.#parser.bufferedBytes, output: this.#output.unsentBytes };
  }

  /** How many operations are under way. */
  get inFlight(): number {
    return this.#issued - this.#answered;
  }

  /** True while something that the client asked for is under way, or waits for that. */
  get isAtWork(): boolean {
    return this.inFlight > 0 || this.#isBusy || this.#held !== null;
  }

  /** The reply to the oldest operation under way. */
  deliver(reply: RespValue): void {
    this.#answered += 1;
    const before = this.#output.length;
    if (this.state.onReply.length === 0) this.#write(reply);
    else this.#write(this.#transformed(reply));
    // Rises at once, and falls slowly.
    this.#replyBytes = Math.max(this.#output.length - before, this.#replyBytes - (this.#replyBytes >> 3));
    if (this.#deferred.length > 0) this.#sayDeferred();
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#server.outbox.add(this);
  }

  /** Something was delivered: writes it out, and goes on. */
  flush(): void {
    this.#isDirty = false;
    if (this.#output.length > MAX_UNSENT_BYTES) this.#handToSocket();
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
    if (this.state.isExecuting) throw new CommandError("ERR this command is not allowed in transactions");
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
    const { length } = this.#output;
    if (length === 0 || length > MAX_KEPT_BYTES) this.#send();
    else this.#sendAtEndOfTurn();
  }

  #sendAtEndOfTurn(): void {
    const { outbox } = this.#server;
    outbox.flushAtEndOfTurn();
    if (this.#isDirty) return;
    this.#isDirty = true;
    outbox.add(this);
  }

  /** Begins what can be begun. */
  #advance(): void {
    while (!this.#isBusy && !this.#output.isClogged && !this.#isEnding) {
      const args = this.#held ?? this.#next();
      if (args === null) break;
      this.#held = null;
      if (!this.#begin(args)) {
        this.#held = args;
        break;
      }
      if (this.#output.length > MAX_UNSENT_BYTES) this.#handToSocket();
    }
    const mustWait = this.#held !== null || this.#isBusy || this.#output.isClogged;
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
    if (this.#deferred.length >= MAX_DEFERRED) return false;
    const found = this.#server.table.find(args[0] as Uint8Array);
    const { state } = this;
    if (found === null && speaksHttp(args)) {
      this.#giveUpHttp();
      return true;
    }
    const problem = refusalOf(found, args, state) ?? this.#redirection(found, args);
    if (problem !== null) {
      // EXEC lets go of what is watched, also when it is refused: of what is about to be, too.
      if (found?.spec.name === "exec" && this.inFlight > 0) return false;
      this.#refuse(problem, found?.spec.name === "exec");
      return true;
    }
    const route = found as Route;
    if (state.transaction !== null && !(route.route === "local" && route.spec.isImmediate)) {
      const refusal = state.transaction.add(route, args);
      this.#say(refusal === null ? { type: "simple", text: "QUEUED" } : { type: "error", message: refusal });
      return true;
    }
    if (route.route === "local") return this.#runLocal(route, args);
    if (route.route === "read" && this.inFlight === 0) {
      const server = this.#server;
      if (state.readsLocally && !server.localReads.admits(this)) return false;
      const reply = state.readsLocally ? server.localReads.read(args) : server.gateway.readAtOnce(args);
      if (reply !== NOT_AT_ONCE) {
        this.#count(route);
        this.#say(reply);
        return true;
      }
    }
    // A read behind a write that is under way goes into the log with it: it sees that write, and need not wait for it.
    const lane = this.inFlight > 0 && this.#lane === "write" ? "write" : route.route;
    if (this.#mustWait(lane)) return false;
    this.#count(route);
    if (lane === "write") this.write({ type: "command", args }, sizeOfArgs(args));
    else this.read(args, sizeOfArgs(args));
    return true;
  }

  /** A command that makes no sense breaks the transaction that it would have been queued in; an EXEC ends it. */
  #refuse(problem: string, isExec: boolean): void {
    const { state } = this;
    let message = problem;
    if (isExec) {
      message = `EXECABORT Transaction discarded because of: ${problem.replace(/^ERR /, "")}`;
      state.transaction = null;
      state.watched.clear();
    } else if (state.transaction !== null) state.transaction.isBroken = true;
    this.#say({ type: "error", message });
  }

  /** Nothing of what follows is a command, whatever it looks like. */
  #giveUpHttp(): void {
    this.#server.logger.log("warn", "client.http", { client: this.id, address: this.state.address });
    this.#isEnding = true;
    this.destroy();
  }

  /** Where the leader is, for a client that wants to go there itself; null when the command is for this node. */
  #redirection(found: Route | null, args: Args): string | null {
    const { redirects, readsLocally } = this.state;
    if (!redirects || found === null || found.route === "local") return null;
    return found.route === "read" && readsLocally ? null : this.#server.redirection(found.spec, args);
  }

  #mustWait(lane: "write" | "read"): boolean {
    const { inFlight } = this;
    if (inFlight > 0 && this.#lane !== lane) return true;
    if (inFlight >= MAX_IN_FLIGHT[lane] || inFlight * this.#replyBytes >= MAX_UNSENT_BYTES) return true;
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
    if (isErrorReply(reply)) this.#server.stats.failed(reply.message);
    if (state.replies !== "on") {
      if (state.replies === "skip") state.replies = "on";
      return;
    }
    try {
      this.#output.write(reply, state.version);
    } catch (error) {
      // A reply that cannot be written is a mistake of ours, and no reason to end the others.
      this.#server.logger.log("error", "client.reply.failed", { client: this.id, error: String(error) });
      this.destroy();
    }
  }

  #send(): void {
    this.#handToSocket();
    this.#finish();
  }

  #handToSocket(): void {
    if (this.#isClosed || this.#output.send()) return;
    const { buffered, id } = this;
    this.#server.logger.log("warn", "client.output.overflow", { client: id, bytes: buffered.output });
    this.destroy();
  }

  #drained(): void {
    // Who takes a large reply slowly is there.
    this.state.lastActiveMs = this.#server.now();
    this.#output.drained();
    this.#advance();
    this.#send();
  }

  #inputEnded(): void {
    this.#isHalfOpen = true;
    this.#finish();
  }

  /** Ends the connection if nothing is left to be done or said. */
  #finish(): void {
    const isDone = this.#isEnding || (this.#isHalfOpen && this.#held === null && !this.#output.isClogged);
    if (!isDone || this.inFlight > 0 || this.#isBusy || this.#isClosed) return;
    if (this.#output.length > 0) this.#send();
    else this.#socket.end();
  }

  #closed(): void {
    this.#output.close();
    this.#isClosed = true;
    this.#isEnding = true;
    this.#held = null;
    this.#server.clients.remove(this);
  }
}
