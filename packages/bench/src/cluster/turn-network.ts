import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { Raft, RaftNetwork, RaftNetworkFactory } from "@seshat/raft";

/**
 * The cheapest network that is one: what is sent in a turn is delivered, in order, in a microtask of its own, never by a direct
 * call. Answers come by promise, so they do not arrive within the sender's turn either.
 */
export class TurnNetwork<C extends RaftTypeConfig> {
  readonly #nodes = new Map<NodeId, Raft<C>>();
  #sent: (() => void)[] = [];

  join(raft: Raft<C>): void {
    this.#nodes.set(raft.id, raft);
  }

  /** Takes a node off: what is sent to it or by it is refused from now on. */
  leave(id: NodeId): void {
    this.#nodes.delete(id);
  }

  /** How node `from` reaches the others. */
  from(from: NodeId): RaftNetworkFactory<C> {
    return { connect: (target) => this.#connect(from, target) };
  }

  #connect(from: NodeId, target: NodeId): RaftNetwork<C> {
    const call = <T>(deliver: (raft: Raft<C>) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        this.#send(() => {
          const raft = this.#nodes.get(target);
          if (raft === undefined || !this.#nodes.has(from))
            reject(new UnreachableError(target, "the link is cut"));
          else deliver(raft).then(resolve, reject);
        });
      });
    return {
      preVote: (request) => call((raft) => raft.preVote(request)),
      vote: (request) => call((raft) => raft.vote(request)),
      appendEntries: (request) => call((raft) => raft.appendEntries(request)),
      installSnapshot: (request) => call((raft) => raft.installSnapshot(request)),
      timeoutNow: (request) => call((raft) => raft.timeoutNow(request)),
      readIndex: (request) => call((raft) => raft.readIndex(request)),
      close: () => {},
    };
  }

  #send(deliver: () => void): void {
    this.#sent.push(deliver);
    if (this.#sent.length === 1) queueMicrotask(() => this.#deliverAll());
  }

  #deliverAll(): void {
    const messages = this.#sent;
    this.#sent = [];
    for (const deliver of messages) deliver();
  }
}
