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
import type { CallOutcome, OpenCall } from "./open-calls.js";
import { OpenCalls } from "./open-calls.js";
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

  /** Sends entries after those before them: what has to be read first must not be overtaken. */
  inOrder(command: SendAppendEntriesCommand): void {
    this.#work.push(command);
  }

  /**
   * Makes one call with a deadline. `outcome` is told once what came of it: an answer that makes sense, or that there is none, which is
   * logged here. `send` hands it to the network.
   */
  begin<T>(
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>, call: OpenCall<T>) => void,
    outcome: CallOutcome<T>,
  ): void {
    if (this.#closed) {
      outcome.failed(this.#givenUp());
      return;
    }
    const call = this.#open.begin(rpc, timeoutMs, outcome);
    try {
      send(this.#network(), call);
    } catch (thrown) {
      call.reject(thrown);
    }
  }

  /** The same for entries, which are sent so often that it makes nothing for them that it can do without. */
  append(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    timeoutMs: number,
    outcome: CallOutcome<RpcResponse<AppendEntriesResponse>>,
  ): void {
    if (this.#closed) {
      outcome.failed(this.#givenUp());
      return;
    }
    const call = this.#open.begin("appendEntries", timeoutMs, outcome);
    try {
      const network: Partial<CallbackRaftNetwork<C>> & RaftNetwork<C> = this.#network();
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
    return new Promise<T>((answered, failed) =>
      this.begin<T>(rpc, timeoutMs, (network, call) => follow(send(network), call), {
        check,
        answered,
        failed,
      }),
    );
  }

  /** Gives the peer up: nothing more is sent, and nothing that comes counts. What is under way has failed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#work.close();
    this.#open.close(this.#givenUp());
    this.#connection?.network.close();
  }

  #network(): RaftNetwork<C> {
    this.#connection ??= this.#parts.connect(this.id);
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
