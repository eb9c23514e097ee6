import type { AsyncRuntime, NodeId, RaftTypeConfig, Timer } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
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
  connect(id: NodeId): RaftNetwork<C>;
}

/** One peer, as long as it is a member: its connection, and what is on the way to it. */
export class Peer<C extends RaftTypeConfig> {
  /** Bytes of entries on their way. Heartbeats pass beside. */
  readonly window: ByteWindow;
  readonly #id: NodeId;
  readonly #parts: PeerParts<C>;
  readonly #work = new SerialQueue<() => MaybePromise<void>>(
    (task) => task(),
    (error) => this.#parts.instruments.log("error", "raft.send.failed", { error: toError(error).message }),
  );
  readonly #deadlines = new Set<Timer>();
  #connection: RaftNetwork<C> | null = null;
  #closed = false;

  constructor(id: NodeId, parts: PeerParts<C>) {
    this.#id = id;
    this.#parts = parts;
    this.window = new ByteWindow(parts.maxInFlightBytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs `task` after those before it: entries that have to be read first must not be overtaken. It must not throw. */
  inOrder(task: () => MaybePromise<void>): void {
    this.#work.push(task);
  }

  /**
   * Makes one call with a deadline. The promise rejects when there is no answer that makes sense, which is logged here,
   * and stays pending once the peer is closed.
   */
  call<T>(
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>) => Promise<T>,
    check: (response: T) => void,
  ): Promise<T> {
    const { runtime, instruments } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      let over = this.#closed;
      if (over) return;
      const end = (): boolean => {
        if (over || this.#closed) return false;
        over = true;
        deadline.cancel();
        this.#deadlines.delete(deadline);
        return true;
      };
      const fail = (thrown: unknown): void => {
        if (!end()) return;
        const error = toError(thrown);
        instruments.log("debug", "raft.rpc.failed", { peer: this.#id, rpc, error: error.message });
        reject(error);
      };
      const deadline = runtime.setTimer(timeoutMs, () =>
        fail(new UnreachableError(this.#id, `no answer within ${Math.round(timeoutMs)} ms`)),
      );
      this.#deadlines.add(deadline);
      try {
        this.#connection ??= this.#parts.connect(this.#id);
        send(this.#connection)
          .then((response) => {
            check(response);
            if (end()) resolve(response);
          })
          .catch(fail);
      } catch (thrown) {
        fail(thrown);
      }
    });
  }

  /** Gives the peer up: nothing more is sent, and nothing that comes counts. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#work.close();
    for (const deadline of this.#deadlines) deadline.cancel();
    this.#deadlines.clear();
    this.#connection?.close();
  }
}
