import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import { InvalidValueError, UnreachableError } from "@seshat/common";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
import type { Raft } from "../raft.js";
import { toError } from "../runtime/failure.js";

/** How a network treats every message. Requests and answers are messages of their own. */
export interface NetworkFaults {
  /** The least time on the way, in milliseconds. Default 0: a turn of the event loop. */
  readonly minLatencyMs: number;
  /** The most. Default 0. */
  readonly maxLatencyMs: number;
  /** The share of messages that are lost, 0 to 1. Default 0. */
  readonly lossRate: number;
}

const NO_FAULTS: NetworkFaults = { minLatencyMs: 0, maxLatencyMs: 0, lossRate: 0 };

/**
 * A network between the nodes of one process. Messages are never handed over within the sender's turn; links can
 * be cut one way or both, and what is cut or lost is never answered.
 */
export class InProcessNetwork<C extends RaftTypeConfig> {
  readonly #runtime: AsyncRuntime;
  readonly #nodes = new Map<NodeId, Raft<C>>();
  /** Cut links, as `from>to`. */
  readonly #cut = new Set<string>();
  #faults: NetworkFaults = NO_FAULTS;

  /** @param runtime its timers carry the messages, its randomness decides their fate. */
  constructor(runtime: AsyncRuntime) {
    this.#runtime = runtime;
  }

  /** Puts a node on the network, in place of an earlier life of it. */
  join(raft: Raft<C>): void {
    this.#nodes.set(raft.id, raft);
  }

  /** Takes a node off: it cannot be reached any more. */
  leave(id: NodeId): void {
    this.#nodes.delete(id);
  }

  /** The network as node `from` sees it. */
  from(from: NodeId): RaftNetworkFactory<C> {
    return {
      connect: (target): RaftNetwork<C> => {
        let open = true;
        const call = <T>(make: (raft: Raft<C>) => Promise<T>): Promise<T> =>
          open
            ? this.#call(from, target, make)
            : Promise.reject(new UnreachableError(target, "the connection is closed"));
        return {
          preVote: (request) => call((raft) => raft.preVote(request)),
          vote: (request) => call((raft) => raft.vote(request)),
          appendEntries: (request) => call((raft) => raft.appendEntries(request)),
          installSnapshot: (request) => call((raft) => raft.installSnapshot(request)),
          timeoutNow: (request) => call((raft) => raft.timeoutNow(request)),
          readIndex: (request) => call((raft) => raft.readIndex(request)),
          close: () => {
            open = false;
          },
        };
      },
    };
  }

  /** Cuts the links from `from` to `to`: one way. */
  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** Cuts every link between different groups. Nodes that are in no group keep theirs. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const a of group) for (const b of other) this.cut(a, b);
      }
    }
  }

  /** Mends every link. */
  heal(): void {
    this.#cut.clear();
  }

  /**
   * Changes how every later message is treated; what is left out goes back to its default.
   *
   * @throws {InvalidValueError} that names the field.
   */
  setFaults(faults: Partial<NetworkFaults>): void {
    const next = { ...NO_FAULTS, ...faults };
    if (!(next.minLatencyMs >= 0))
      throw new InvalidValueError("minLatencyMs", next.minLatencyMs, "at least 0");
    if (!(next.maxLatencyMs >= next.minLatencyMs)) {
      throw new InvalidValueError(
        "maxLatencyMs",
        next.maxLatencyMs,
        `at least minLatencyMs (${next.minLatencyMs})`,
      );
    }
    if (!(next.lossRate >= 0 && next.lossRate <= 1))
      throw new InvalidValueError("lossRate", next.lossRate, "from 0 to 1");
    this.#faults = next;
  }

  #call<T>(from: NodeId, to: NodeId, make: (raft: Raft<C>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#carry(from, to, () => {
        const raft = this.#nodes.get(to);
        if (raft === undefined) {
          this.#carry(to, from, () => reject(new UnreachableError(to, "it does not run")));
          return;
        }
        make(raft).then(
          (answer) => this.#carry(to, from, () => resolve(answer)),
          (error: unknown) => this.#carry(to, from, () => reject(toError(error))),
        );
      });
    });
  }

  /** Brings one message over, or not. The link counts as it is when the message arrives. */
  #carry(from: NodeId, to: NodeId, deliver: () => void): void {
    const { minLatencyMs, maxLatencyMs, lossRate } = this.#faults;
    if (lossRate > 0 && this.#runtime.random() < lossRate) return;
    const arrive = (): void => {
      if (this.#cut.size === 0 || !this.#cut.has(`${from}>${to}`)) deliver();
    };
    if (maxLatencyMs === 0) this.#runtime.soon(arrive);
    else
      this.#runtime.setTimer(minLatencyMs + this.#runtime.random() * (maxLatencyMs - minLatencyMs), arrive);
  }
}
