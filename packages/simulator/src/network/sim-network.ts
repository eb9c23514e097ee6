import type { NodeId, RaftTypeConfig, RpcRequest, RpcResponse } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { Raft, RaftNetwork, RaftNetworkFactory } from "@seshat/raft";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { Life } from "../world/life.js";
import { Links } from "./links.js";
import type { WatchedTransport } from "./watched-transport.js";
import { callPeer } from "./watched-transport.js";

/** The calls between nodes. */
export type Rpc = Exclude<keyof RaftNetwork<RaftTypeConfig>, "close">;

/** Where a life of a node can be reached. */
export interface Endpoint<C extends RaftTypeConfig> {
  readonly raft: Raft<C>;
  readonly life: Life;
}

/** Looks at every message, as it is sent and as it arrives. */
export interface NetworkTap {
  request(from: NodeId, to: NodeId, rpc: Rpc, request: RpcRequest<unknown>): void;
  response(
    from: NodeId,
    to: NodeId,
    rpc: Rpc,
    request: RpcRequest<unknown>,
    response: RpcResponse<unknown>,
  ): void;
}

/** A network between simulated nodes: who is found where, and what is asked and answered. What becomes of the messages is up to its {@link Links}. */
export class SimNetwork<C extends RaftTypeConfig> {
  readonly links: Links;
  readonly #tap: NetworkTap;
  readonly #endpoints = new Map<NodeId, Endpoint<C>>();
  readonly #places = new Map<NodeId, string>();
  /** Null where requests and answers are carried as they are. */
  readonly #transport: WatchedTransport<C> | null;

  /** @param transport makes bytes of requests and answers. Default: they are carried as they are. */
  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    tap: NetworkTap,
    transport: WatchedTransport<C> | null = null,
  ) {
    this.links = new Links(clock, random);
    this.#tap = tap;
    this.#transport = transport;
  }

  /** A node runs, in place of an earlier life of it. */
  join(id: NodeId, endpoint: Endpoint<C>): void {
    this.#endpoints.set(id, endpoint);
  }

  leave(id: NodeId): void {
    this.#endpoints.delete(id);
  }

  /** Where a node is found from now on. Who looks for it elsewhere finds nobody. */
  place(id: NodeId, node: C["Node"]): void {
    this.#places.set(id, JSON.stringify(node));
  }

  /** The network as one life of node `from` sees it. */
  from(from: NodeId, life: Life): RaftNetworkFactory<C> {
    return {
      connect: (to, node): RaftNetwork<C> => {
        if (this.#transport !== null) return this.#connectByBytes(this.#transport, from, life, to, node);
        let open = true;
        const place = JSON.stringify(node);
        const call = <T>(rpc: Rpc, request: RpcRequest<T>): Promise<never> =>
          open
            ? (this.#call(from, life, to, place, rpc, request) as Promise<never>)
            : Promise.reject(new UnreachableError(to, "the connection is closed"));
        return {
          preVote: (request) => call("preVote", request),
          vote: (request) => call("vote", request),
          appendEntries: (request) => call("appendEntries", request),
          installSnapshot: (request) => call("installSnapshot", request),
          timeoutNow: (request) => call("timeoutNow", request),
          readIndex: (request) => call("readIndex", request),
          close: () => {
            open = false;
          },
        };
      },
    };
  }

  #connectByBytes(
    transport: WatchedTransport<C>,
    from: NodeId,
    life: Life,
    to: NodeId,
    node: C["Node"],
  ): RaftNetwork<C> {
    return transport.connect(from, to, node, (bytes) =>
      this.#exchange(from, life, to, JSON.stringify(node), ({ raft }, isAlive) =>
        transport.receive(from, to, raft, bytes, isAlive),
      ),
    );
  }

  #call(
    from: NodeId,
    life: Life,
    to: NodeId,
    place: string,
    rpc: Rpc,
    request: RpcRequest<unknown>,
  ): Promise<unknown> {
    this.#tap.request(from, to, rpc, request);
    return this.#exchange(from, life, to, place, async ({ raft }, isAlive) => {
      const response = await callPeer(raft, rpc, request);
      if (isAlive()) this.#tap.response(to, from, rpc, request, response);
      return response;
    });
  }

  /** Brings something over, has it handled there, and brings the answer back. A dead node answers nothing. */
  #exchange<T>(
    from: NodeId,
    life: Life,
    to: NodeId,
    place: string,
    handle: (endpoint: Endpoint<C>, isAlive: () => boolean) => Promise<T>,
  ): Promise<T> {
    const receiver = this.#endpoints.get(to)?.life;
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void): void => this.links.carry(to, from, () => life.run(settle));
      this.links.carry(from, to, () => {
        const endpoint = this.#endpoints.get(to);
        if ((this.#places.get(to) ?? place) !== place) {
          this.links.counts.misaddressed += 1;
          answer(() => reject(new UnreachableError(to, "nobody is there")));
          return;
        }
        if (endpoint === undefined) {
          answer(() => reject(new UnreachableError(to, "it does not run")));
          return;
        }
        // A message of before the receiver's restart: it arrives all the same.
        if (endpoint.life !== receiver) this.links.counts.late += 1;
        endpoint.life.run(() => {
          handle(endpoint, () => endpoint.life.alive).then(
            (response) => {
              if (endpoint.life.alive) answer(() => resolve(response));
            },
            (error: unknown) => {
              if (endpoint.life.alive)
                answer(() => reject(error instanceof Error ? error : new Error(String(error))));
            },
          );
        });
      });
    });
  }
}
