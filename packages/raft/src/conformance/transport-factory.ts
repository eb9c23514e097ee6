import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import type { Settle } from "@seshat/storage/conformance";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";

/** What a node does with the requests of its peers: what `Raft` does, in production. */
export type RaftHandlers<C extends RaftTypeConfig> = Omit<RaftNetwork<C>, "close">;

/** One node on a transport. */
export interface TransportEndpoint<C extends RaftTypeConfig> {
  /** Where its peers reach it. */
  readonly node: C["Node"];
  /** Its connections to its peers. */
  readonly network: RaftNetworkFactory<C>;
  /** Its process ends: from now on nobody reaches it, and what it was asked may stay without an answer. Called once. */
  stop(): MaybePromise<void>;
}

/** Some nodes that can reach each other. */
export interface TransportWorld<C extends RaftTypeConfig> {
  /**
   * Starts node `id`, which has its requests answered by `handlers`. Ready when this ends.
   *
   * @param at where an earlier life of it was reached, to be taken again; undefined for anywhere.
   */
  start(id: NodeId, handlers: RaftHandlers<C>, at?: C["Node"]): MaybePromise<TransportEndpoint<C>>;
  /** A place where nobody listens. */
  nowhere(): C["Node"];
  /** The case is over, whatever came of it: stops what still runs. Default: nothing has to be done. */
  dispose?(): MaybePromise<void>;
}

/** Makes the worlds that the suite tries a transport in. */
export interface TransportFactory<C extends RaftTypeConfig> {
  /** A new one, for one case. */
  create(): MaybePromise<TransportWorld<C>>;
  /** A command that holds these bytes. */
  command(bytes: Uint8Array): C["D"];
  /** How a member is described, in the memberships that travel. */
  node(id: NodeId): C["Node"];
  /** The clock that messages travel by. Default: that of the machine. */
  readonly runtime?: AsyncRuntime;
  /** Sees to it that a case ends: moves `runtime`, where it is virtual. Default: `timeoutMs`. */
  readonly settle?: Settle;
}

/** How much the suite tries. */
export interface TransportConformanceOptions {
  /** Random messages of each kind. Default 50. */
  readonly rounds?: number;
  /** Bytes of a large message: what `maxPayloadBytes` and `snapshotChunkBytes` allow. Default 1 MiB. */
  readonly largeBytes?: number;
  /** False for a transport that does not keep the order of the `appendEntries` of one connection. Default true. */
  readonly keepsOrder?: boolean;
  /** How long nothing has to happen until it counts as not happening, in milliseconds of `runtime`. Default 100. */
  readonly patienceMs?: number;
  /** How long a case may take in milliseconds, without a `settle` of the factory. Default 30,000. */
  readonly timeoutMs?: number;
}
