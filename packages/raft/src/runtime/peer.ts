import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
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
  /** How to fail the calls that have no answer. */
  readonly #open = new Set<(error: Error) => void>();
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
   * Makes one call with a deadline. The promise rejects when there is no answer that makes sense, which is logged here, and when
   * the peer is closed.
   */
  call<T>(
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>) => Promise<T>,
    check: (response: T) => void,
  ): Promise<T> {
    const { runtime, instruments } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) {
        reject(this.#givenUp());
        return;
      }
      let over = false;
      const end = (): boolean => {
        if (over) return false;
        over = true;
        deadline.cancel();
        this.#open.delete(fail);
        return true;
      };
      const fail = (thrown: unknown): void => {
        if (!end()) return;
        const error = toError(thrown);
        // A peer that is not who it should be stays so until somebody sees to it: that is said aloud, once.
        const isForeign = error instanceof ForeignNodeError;
        const level = isForeign && !this.#isForeign ? "warn" : "debug";
        this.#isForeign = isForeign;
        instruments.log(level, "raft.rpc.failed", { peer: this.id, rpc, error: error.message });
        reject(error);
      };
      const deadline = runtime.setTimer(timeoutMs, () =>
        fail(new UnreachableError(this.id, `no answer within ${Math.round(timeoutMs)} ms`)),
      );
      this.#open.add(fail);
      try {
        this.#connection ??= this.#parts.connect(this.id);
        send(this.#connection.network)
          .then((response) => {
            check(response);
            if (!end()) return;
            this.#isForeign = false;
            resolve(response);
          })
          .catch(fail);
      } catch (thrown) {
        fail(thrown);
      }
    });
  }

  /** Gives the peer up: nothing more is sent, and nothing that comes counts. What is under way has failed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#work.close();
    for (const fail of this.#open) fail(this.#givenUp());
    this.#connection?.network.close();
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
