import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  NodeId,
  RaftTypeConfig,
  RpcRequest,
  RpcResponse,
} from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { CallbackRaftNetwork, Raft, RaftNetworkFactory, RpcCaller } from "@seshat/raft";

/** Something that is on its way. */
interface Message {
  deliver(): void;
}

const SETTLED = Promise.resolve();

/**
 * The cheapest network that is one: what is sent in a turn, answers too, is delivered, in order, in a microtask of its own, never by a direct
 * call.
 */
export class TurnNetwork<C extends RaftTypeConfig> {
  readonly #nodes = new Map<NodeId, Raft<C>>();
  #sent: Message[] = [];
  /** Empty, and with room for as many as there were a turn ago. */
  #spare: Message[] = [];
  readonly #deliverAll = (): void => {
    const messages = this.#sent;
    this.#sent = this.#spare;
    this.#spare = messages;
    for (const message of messages) message.deliver();
    while (messages.length > 0) messages.pop();
  };

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

  /** Brings a message over in the next microtask. */
  send(message: Message): void {
    this.#sent.push(message);
    if (this.#sent.length === 1) void SETTLED.then(this.#deliverAll);
  }

  /** The node `target`, as far as it can be reached by node `from`. */
  reach(from: NodeId, target: NodeId): Raft<C> | undefined {
    return this.#nodes.has(from) ? this.#nodes.get(target) : undefined;
  }

  #connect(from: NodeId, target: NodeId): CallbackRaftNetwork<C> {
    const call = <T>(ask: (raft: Raft<C>) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        this.send({
          deliver: () => {
            const raft = this.reach(from, target);
            if (raft === undefined) reject(new UnreachableError(target, "the link is cut"));
            else ask(raft).then(resolve, reject);
          },
        });
      });
    return {
      preVote: (request) => call((raft) => raft.preVote(request)),
      vote: (request) => call((raft) => raft.vote(request)),
      appendEntries: (request) => call((raft) => raft.appendEntries(request)),
      callAppendEntries: (request, caller) =>
        this.send(new AppendMessage(this, from, target, request, caller)),
      installSnapshot: (request) => call((raft) => raft.installSnapshot(request)),
      timeoutNow: (request) => call((raft) => raft.timeoutNow(request)),
      readIndex: (request) => call((raft) => raft.readIndex(request)),
      close: () => {},
    };
  }
}

/** A request to append entries, and after that its answer on the way back. */
class AppendMessage<C extends RaftTypeConfig> implements Message, RpcCaller<AppendEntriesResponse> {
  readonly #network: TurnNetwork<C>;
  readonly #from: NodeId;
  readonly #target: NodeId;
  readonly #request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>;
  readonly #caller: RpcCaller<AppendEntriesResponse>;
  #response: RpcResponse<AppendEntriesResponse> | null = null;
  #error: Error | null = null;

  constructor(
    network: TurnNetwork<C>,
    from: NodeId,
    target: NodeId,
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    caller: RpcCaller<AppendEntriesResponse>,
  ) {
    this.#network = network;
    this.#from = from;
    this.#target = target;
    this.#request = request;
    this.#caller = caller;
  }

  deliver(): void {
    if (this.#response !== null) this.#caller.resolve(this.#response);
    else if (this.#error !== null) this.#caller.reject(this.#error);
    else {
      const raft = this.#network.reach(this.#from, this.#target);
      if (raft === undefined) this.reject(new UnreachableError(this.#target, "the link is cut"));
      else raft.callAppendEntries(this.#request, this);
    }
  }

  resolve(response: RpcResponse<AppendEntriesResponse>): void {
    this.#response = response;
    this.#network.send(this);
  }

  reject(error: Error): void {
    this.#error = error;
    this.#network.send(this);
  }
}
