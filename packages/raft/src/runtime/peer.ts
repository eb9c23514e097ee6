import type { AsyncRuntime, NodeId, RaftTypeConfig, Timer } from "@seshat/common";
import { ForeignNodeError, UnreachableError } from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import type { RaftNetwork } from "../network/raft-network.js";
import { ByteWindow } from "./byte-window.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import { SerialQueue } from "./serial-queue.js";

/** What a peer is reached with. */
export interface PeerParts<C extends RaftTypeConfig> {
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  readonly maxInFlightBytes: number;
  /** Makes the connection, when it is first needed. May throw: the peer is then unreachable. */
  connect(id: NodeId): Connection<C>;
}

/** A connection, and how the membership described the peer when it was made. */
export interface Connection<C extends RaftTypeConfig> {
  readonly network: RaftNetwork<C>;
  readonly node: C["Node"];
}

/** Who wants to know what comes of a call. */
export interface CallOutcome<T> {
  /** Throws when no correct peer can have answered so: then the call has failed. */
  check(response: T): void;
  answered(response: T): void;
  failed(error: Error): void;
}

/** A call that has no answer yet. */
interface OpenCall {
  readonly rpc: string;
  readonly timeoutMs: number;
  /** On the runtime's clock. */
  readonly deadline: number;
  readonly outcome: Pick<CallOutcome<never>, "failed">;
}

/** A timer may find itself early by a rounding error, and must not be set again for nothing. */
const CLOCK_PRECISION_MS = 0.001;

/** One peer, as long as it is a member: its connection, and what is on the way to it. */
export class Peer<C extends RaftTypeConfig> {
  /** Bytes of entries on their way. Heartbeats pass beside. */
  readonly window: ByteWindow;
  readonly id: NodeId;
  readonly #parts: PeerParts<C>;
  readonly #work = new SerialQueue<() => MaybePromise<void>>(
    (task) => task(),
    (error) => this.#parts.instruments.log("error", "raft.send.failed", { error: toError(error).message }),
  );
  /** Calls that have no answer, in the order in which they were made. */
  readonly #open = new Set<OpenCall>();
  #timer: Timer | null = null;
  #firesAt = Number.POSITIVE_INFINITY;
  #connection: Connection<C> | null = null;
  #closed = false;
  /** True while it was found to be another node, or on another store, than the one that is meant. */
  #isForeign = false;

  constructor(id: NodeId, parts: PeerParts<C>) {
    this.id = id;
    this.#parts = parts;
    this.window = new ByteWindow(parts.maxInFlightBytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** False when there is a connection to somewhere else. */
  isAt(node: C["Node"]): boolean {
    return this.#connection === null || isSameNode(this.#connection.node, node);
  }

  /** Runs `task` after those before it: entries that have to be read first must not be overtaken. It must not throw. */
  inOrder(task: () => MaybePromise<void>): void {
    this.#work.push(task);
  }

  /**
   * Makes one call with a deadline. `outcome` is told once what came of it: an answer that makes sense, or that there is none, which is
   * logged here.
   */
  begin<T>(
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>) => Promise<T>,
    outcome: CallOutcome<T>,
  ): void {
    if (this.#closed) {
      outcome.failed(this.#givenUp());
      return;
    }
    const deadline = this.#parts.runtime.now() + timeoutMs;
    const call: OpenCall = { rpc, timeoutMs, deadline, outcome };
    this.#open.add(call);
    this.#watch(deadline);
    try {
      this.#connection ??= this.#parts.connect(this.id);
      send(this.#connection.network).then(
        (response) => this.#answered(call, response, outcome),
        (thrown: unknown) => this.#fail(call, thrown),
      );
    } catch (thrown) {
      this.#fail(call, thrown);
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
      this.begin(rpc, timeoutMs, send, { check, answered, failed }),
    );
  }

  /** Gives the peer up: nothing more is sent, and nothing that comes counts. What is under way has failed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#work.close();
    this.#timer?.cancel();
    for (const call of this.#open) this.#fail(call, this.#givenUp());
    this.#connection?.network.close();
  }

  #answered<T>(call: OpenCall, response: T, outcome: CallOutcome<T>): void {
    // It came too late.
    if (!this.#open.has(call)) return;
    try {
      outcome.check(response);
    } catch (thrown) {
      this.#fail(call, thrown);
      return;
    }
    this.#open.delete(call);
    this.#isForeign = false;
    outcome.answered(response);
  }

  #fail(call: OpenCall, thrown: unknown): void {
    if (!this.#open.delete(call)) return;
    const error = toError(thrown);
    // A peer that is not who it should be stays so until somebody sees to it: that is said aloud, once.
    const isForeign = error instanceof ForeignNodeError;
    const level = isForeign && !this.#isForeign ? "warn" : "debug";
    this.#isForeign = isForeign;
    this.#parts.instruments.log(level, "raft.rpc.failed", {
      peer: this.id,
      rpc: call.rpc,
      error: error.message,
    });
    call.outcome.failed(error);
  }

  /** One timer serves all calls: most are answered long before, so it is left to fire and look again. */
  #watch(deadline: number): void {
    if (deadline >= this.#firesAt) return;
    this.#timer?.cancel();
    this.#firesAt = deadline;
    const delay = Math.max(0, deadline - this.#parts.runtime.now());
    this.#timer = this.#parts.runtime.setTimer(delay, () => this.#expire());
  }

  #expire(): void {
    this.#timer = null;
    this.#firesAt = Number.POSITIVE_INFINITY;
    const due = this.#parts.runtime.now() + CLOCK_PRECISION_MS;
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#open) {
      if (call.deadline > due) next = Math.min(next, call.deadline);
      else
        this.#fail(call, new UnreachableError(this.id, `no answer within ${Math.round(call.timeoutMs)} ms`));
    }
    if (!this.#closed) this.#watch(next);
  }

  #givenUp(): UnreachableError {
    return new UnreachableError(this.id, "the connection was given up");
  }
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
