import type { NodeId, RaftTypeConfig, RpcRequest, RpcResponse } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { Raft, RaftNetwork, RaftNetworkFactory } from "@seshat/raft";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { Life } from "../world/life.js";
import type { WatchedTransport } from "./watched-transport.js";
import { callPeer } from "./watched-transport.js";

/** The calls between nodes. */
export type Rpc = Exclude<keyof RaftNetwork<RaftTypeConfig>, "close">;

/** How the network treats messages. Requests and answers are messages of their own. Times are in milliseconds. */
export interface NetworkFaults {
  /** The least time on the way. */
  readonly minLatencyMs: number;
  /** The mean of what comes on top, exponentially distributed. */
  readonly meanLatencyMs: number;
  /** The share of messages that are lost. */
  readonly lossRate: number;
  /** The share that arrive twice, the second one late. */
  readonly duplicateRate: number;
  /** The share that are held up for `delayMs`: later ones overtake them. */
  readonly delayRate: number;
  readonly delayMs: number;
  /** How many messages a link holds at once, from 1 on; one more is lost. */
  readonly linkCapacity: number;
}

/** A network without faults. */
export const CALM: NetworkFaults = {
  minLatencyMs: 0.1,
  meanLatencyMs: 0.4,
  lossRate: 0,
  duplicateRate: 0,
  delayRate: 0,
  delayMs: 0,
  linkCapacity: 256,
};

/** What the network did, for the coverage table. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  delayed: number;
  cut: number;
  clogged: number;
  overflowed: number;
  late: number;
  misaddressed: number;
}

export function noNetworkCounts(): NetworkCounts {
  return {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    delayed: 0,
    cut: 0,
    clogged: 0,
    overflowed: 0,
    late: 0,
    misaddressed: 0,
  };
}

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

interface Link {
  cut: boolean;
  /** Messages wait here until the link is unclogged; null while it is not clogged. */
  clogged: (() => void)[] | null;
  inFlight: number;
}

/** A network between simulated nodes, with faults that one random source decides. */
export class SimNetwork<C extends RaftTypeConfig> {
  readonly counts: NetworkCounts = noNetworkCounts();
  readonly #random: SeededRandom;
  readonly #tap: NetworkTap;
  readonly #endpoints = new Map<NodeId, Endpoint<C>>();
  readonly #links = new Map<NodeId, Map<NodeId, Link>>();
  /** Of `#links`, in the order in which they were made. */
  readonly #made: Link[] = [];
  readonly #places = new Map<NodeId, string>();
  readonly #setTimer: (delayMs: number, callback: () => void) => void;
  /** Null where requests and answers are carried as they are. */
  readonly #transport: WatchedTransport<C> | null;
  faults: NetworkFaults = CALM;

  /** @param transport makes bytes of requests and answers. Default: they are carried as they are. */
  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    tap: NetworkTap,
    transport: WatchedTransport<C> | null = null,
  ) {
    this.#random = random;
    this.#tap = tap;
    this.#transport = transport;
    const runtime = clock.runtime(random);
    this.#setTimer = (delayMs, callback) => void runtime.setTimer(delayMs, callback);
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

  /** Cuts the link from `from` to `to`, one way; what is on its way is lost. */
  cut(from: NodeId, to: NodeId): void {
    this.#link(from, to).cut = true;
  }

  /** Holds back what goes from `from` to `to`, until `unclog`. */
  clog(from: NodeId, to: NodeId): void {
    this.#link(from, to).clogged ??= [];
  }

  /** Lets everything go at once that was held back. */
  unclog(from: NodeId, to: NodeId): void {
    unclog(this.#link(from, to));
  }

  /** Mends every link. */
  heal(): void {
    for (const link of this.#made) {
      link.cut = false;
      unclog(link);
    }
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
      const answer = (settle: () => void): void => this.#carry(to, from, () => life.run(settle));
      this.#carry(from, to, () => {
        const endpoint = this.#endpoints.get(to);
        if ((this.#places.get(to) ?? place) !== place) {
          this.counts.misaddressed += 1;
          answer(() => reject(new UnreachableError(to, "nobody is there")));
          return;
        }
        if (endpoint === undefined) {
          answer(() => reject(new UnreachableError(to, "it does not run")));
          return;
        }
        // A message of before the receiver's restart: it arrives all the same.
        if (endpoint.life !== receiver) this.counts.late += 1;
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

  /** Brings one message over, or not, once or twice. */
  #carry(from: NodeId, to: NodeId, deliver: () => void): void {
    const { lossRate, duplicateRate } = this.faults;
    this.counts.sent += 1;
    if (lossRate > 0 && this.#random.next() < lossRate) {
      this.counts.lost += 1;
      return;
    }
    this.#travel(from, to, deliver);
    if (duplicateRate > 0 && this.#random.next() < duplicateRate) {
      this.counts.duplicated += 1;
      this.#travel(from, to, deliver);
    }
  }

  #travel(from: NodeId, to: NodeId, deliver: () => void): void {
    const link = this.#link(from, to);
    if (link.inFlight >= this.faults.linkCapacity) {
      this.counts.overflowed += 1;
      return;
    }
    link.inFlight += 1;
    this.#setTimer(this.#latency(), () => {
      const arrive = (): void => {
        link.inFlight -= 1;
        if (link.cut) {
          this.counts.cut += 1;
          return;
        }
        this.counts.delivered += 1;
        deliver();
      };
      if (link.clogged === null) arrive();
      else {
        this.counts.clogged += 1;
        link.clogged.push(arrive);
      }
    });
  }

  #latency(): number {
    const { minLatencyMs, meanLatencyMs, delayRate, delayMs } = this.faults;
    let latency = minLatencyMs - Math.log(1 - this.#random.next()) * meanLatencyMs;
    if (delayRate > 0 && this.#random.next() < delayRate) {
      this.counts.delayed += 1;
      latency += this.#random.next() * delayMs;
    }
    return latency;
  }

  #link(from: NodeId, to: NodeId): Link {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = { cut: false, clogged: null, inFlight: 0 };
      links.set(to, link);
      this.#made.push(link);
    }
    return link;
  }
}

function unclog(link: Link): void {
  const held = link.clogged ?? [];
  link.clogged = null;
  for (const deliver of held) deliver();
}
