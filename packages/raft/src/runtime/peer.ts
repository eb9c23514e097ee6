import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AsyncRuntime,
  NodeId,
  RaftTypeConfig,
  RpcRequest,
  RpcResponse,
} from "@seshat/common";
import { ForeignNodeError, UnreachableError } from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import type { SendAppendEntriesCommand } from "../engine/command.js";
import type { CallbackRaftNetwork, RaftNetwork } from "../network/raft-network.js";
import { ByteWindow } from "./byte-window.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import { OpenCall, OpenCalls } from "./open-calls.js";
import { SerialQueue } from "./serial-queue.js";

/** What a peer is reached with. */
export interface PeerParts<C extends RaftTypeConfig> {
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  readonly maxInFlightBytes: number;
  /** Makes the connection, when it is first needed. May throw: the peer is then unreachable. */
  connect(id: NodeId): Connection<C>;
  /** Reads and sends entries. It must not throw. */
  sendEntries(peer: Peer<C>, command: SendAppendEntriesCommand): MaybePromise<void>;
}

/** A connection, and how the membership described the peer when it was made. */
export interface Connection<C extends RaftTypeConfig> {
  readonly network: RaftNetwork<C>;
  readonly node: C["Node"];
}

/** One peer, as long as it is a member: its connection, and what is on the way to it. */
export class Peer<C extends RaftTypeConfig> {
  /** Bytes of entries on their way. Heartbeats pass beside. */
  readonly window: ByteWindow;
  readonly id: NodeId;
  readonly #parts: PeerParts<C>;
  readonly #work: SerialQueue<SendAppendEntriesCommand>;
  readonly #open: OpenCalls;
  #connection: Connection<C> | null = null;
  #closed = false;
  /** True while it was found to be another node, or on another store, than the one that is meant. */
  #isForeign = false;

  constructor(id: NodeId, parts: PeerParts<C>) {
    this.id = id;
    this.#parts = parts;
    this.window = new ByteWindow(parts.maxInFlightBytes);
    this.#work = new SerialQueue(
      (command) => parts.sendEntries(this, command),
      (error) => parts.instruments.log("error", "raft.send.failed", { error: toError(error).message }),
    );
    this.#open = new OpenCalls(id, parts.runtime, (call, error) => this.#ended(call, error));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** False when there is a connection to somewhere else. */
  isAt(node: C["Node"]): boolean {
    return this.#connection === null || isSameNode(this.#connection.node, node);
  }

  /** The entries that are to be sent, one command after another: what has to be read first must not be overtaken. */
  get work(): SerialQueue<SendAppendEntriesCommand> {
    return this.#work;
  }

  /** Sends entries, or a heartbeat. `call` is told once what comes of it: an answer that makes sense, or that there is none, which is logged here. */
  append(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    call: OpenCall<RpcResponse<AppendEntriesResponse>>,
    now: number,
  ): void {
    const network: (Partial<CallbackRaftNetwork<C>> & RaftNetwork<C>) | null = this.#begin(call, now);
    if (network === null) return;
    try {
      if (network.callAppendEntries === undefined) follow(network.appendEntries(request), call);
      else network.callAppendEntries(request, call);
    } catch (thrown) {
      call.reject(thrown);
    }
  }

  /** The same as a promise, which rejects when there is no answer that makes sense. */
  call<T>(
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>) => Promise<T>,
    check: (response: T) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = new PromisedCall<T>(rpc, timeoutMs, check, resolve, reject);
      const network = this.#begin(call);
      if (network === null) return;
      try {
        follow(send(network), call);
      } catch (thrown) {
        call.reject(thrown);
      }
    });
  }

  /** Gives the peer up: nothing more is sent, and nothing that comes counts. What is under way has failed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#work.close();
    this.#open.close(this.#givenUp());
    this.#connection?.network.close();
  }

  /** A call is on its way from now on. @returns what it is to be sent with; null when that cannot be had, and the call has failed. */
  #begin(call: OpenCall<never>, now: number = this.#parts.runtime.now()): RaftNetwork<C> | null {
    if (this.#closed) {
      call.failed(this.#givenUp());
      return null;
    }
    this.#open.begin(call, now);
    try {
      this.#connection ??= this.#parts.connect(this.id);
    } catch (thrown) {
      call.reject(thrown);
      return null;
    }
    return this.#connection.network;
  }

  #ended({ rpc }: OpenCall<never>, error: Error | null): void {
    if (error === null) {
      this.#isForeign = false;
      return;
    }
    // A peer that is not who it should be stays so until somebody sees to it: that is said aloud, once.
    const isForeign = error instanceof ForeignNodeError;
    const level = isForeign && !this.#isForeign ? "warn" : "debug";
    this.#isForeign = isForeign;
    this.#parts.instruments.log(level, "raft.rpc.failed", { peer: this.id, rpc, error: error.message });
  }

  #givenUp(): UnreachableError {
    return new UnreachableError(this.id, "the connection was given up");
  }
}

/** A call whose outcome settles a promise. */
class PromisedCall<T> extends OpenCall<T> {
  protected readonly check: (response: T) => void;
  protected readonly answered: (response: T) => void;
  readonly failed: (error: Error) => void;

  constructor(
    rpc: string,
    timeoutMs: number,
    check: (response: T) => void,
    answered: (response: T) => void,
    failed: (error: Error) => void,
  ) {
    super(rpc, timeoutMs);
    this.check = check;
    this.answered = answered;
    this.failed = failed;
  }
}

/** Brings what comes of a promise to the call that waits for it. */
function follow<T>(answer: Promise<T>, call: OpenCall<T>): void {
  answer.then(
    (response) => call.resolve(response),
    (thrown: unknown) => call.reject(thrown),
  );
}

/** Descriptions are the application's own: those that cannot be compared are taken for different, and cost a reconnect. */
function isSameNode(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}
