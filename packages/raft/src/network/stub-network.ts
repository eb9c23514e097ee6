import type { Logger, NodeId, RaftTypeConfig } from "@seshat/common";
import { UnreachableError, silentLogger } from "@seshat/common";
import type { RaftNetwork, RaftNetworkFactory } from "./raft-network.js";

/**
 * The network of a node that has none: every peer is unreachable, and each attempt is logged. A cluster of one never
 * uses it; in a larger one nothing is ever elected or committed through it, because an answer that nobody gave
 * would be a vote or an acknowledgement that nobody made.
 */
export class StubNetwork<C extends RaftTypeConfig> implements RaftNetworkFactory<C> {
  readonly #logger: Logger;

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  connect(target: NodeId): RaftNetwork<C> {
    const refuse = (rpc: string): Promise<never> => {
      this.#logger.log("warn", "raft.network.stub", { target, rpc });
      return Promise.reject(new UnreachableError(target, "the stub network reaches nobody"));
    };
    return {
      preVote: () => refuse("preVote"),
      vote: () => refuse("vote"),
      appendEntries: () => refuse("appendEntries"),
      installSnapshot: () => refuse("installSnapshot"),
      timeoutNow: () => refuse("timeoutNow"),
      readIndex: () => refuse("readIndex"),
      close(): void {},
    };
  }
}
