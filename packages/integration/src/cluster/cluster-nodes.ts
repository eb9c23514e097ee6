import type { NodeId, TypeConfig } from "@seshat/common";
import { InvalidValueError, ShutdownError } from "@seshat/common";
import { Raft } from "@seshat/raft";
import type { InProcessNetwork } from "@seshat/raft/testing";
import { OpenRaftMemStorage } from "@seshat/storage";
import { NodeDownError } from "../errors.js";
import type { ClusterOptions } from "./cluster-options.js";
import { checkStateMachine } from "./cluster-options.js";

/** One node of a cluster in this process, running or killed. */
export interface Member<D, R, M> {
  readonly id: NodeId;
  readonly storage: OpenRaftMemStorage<TypeConfig<D, R>>;
  readonly stateMachine: M;
  /** Null while the node is killed. */
  raft: Raft<TypeConfig<D, R>> | null;
  /** The starts and kills so far. They wait for each other: two lives of a node must not share its storage. */
  changed: Promise<void>;
}

/** The nodes of a cluster in this process: makes, starts, kills and discards them. Who votes is none of its business. */
export class ClusterNodes<D, R, M> {
  readonly #options: ClusterOptions<D, R, M>;
  readonly #network: InProcessNetwork<TypeConfig<D, R>>;
  /** Ascending by id. */
  readonly #members = new Map<NodeId, Member<D, R, M>>();
  #closed = false;

  constructor(options: ClusterOptions<D, R, M>, network: InProcessNetwork<TypeConfig<D, R>>) {
    this.#options = options;
    this.#network = network;
  }

  /** Every node, ascending. */
  get ids(): readonly NodeId[] {
    return [...this.#members.keys()];
  }

  has(id: NodeId): boolean {
    return this.#members.has(id);
  }

  /** @throws {InvalidValueError} when there is no such node. */
  get(id: NodeId): Member<D, R, M> {
    const member = this.#members.get(id);
    if (member === undefined) throw new InvalidValueError("node", id, `one of ${this.ids.join(", ")}`);
    return member;
  }

  /** A node that runs. @throws {NodeDownError} when it is killed. */
  live(id: NodeId): Raft<TypeConfig<D, R>> {
    const { raft } = this.get(id);
    if (raft === null) throw new NodeDownError(id);
    return raft;
  }

  /** The nodes that run. */
  running(): readonly Raft<TypeConfig<D, R>>[] {
    return [...this.#members.values()].flatMap(({ raft }) => (raft === null ? [] : [raft]));
  }

  /** Makes a node with empty storage and starts it. When that fails there is none. */
  async startNew(id: NodeId): Promise<void> {
    const stateMachine = this.#options.stateMachine(id);
    checkStateMachine(stateMachine);
    const storage = new OpenRaftMemStorage<TypeConfig<D, R>>(stateMachine);
    const member = { id, storage, stateMachine, raft: null, changed: Promise.resolve() };
    const sorted = [...this.#members.values(), member].toSorted((a, b) => a.id - b.id);
    this.#members.clear();
    for (const each of sorted) this.#members.set(each.id, each);
    try {
      await this.restart(id);
    } catch (error) {
      this.#members.delete(id);
      throw error;
    }
  }

  /** Starts a node over its storage; one that runs is killed first. @throws {ShutdownError} after {@link close}. */
  async restart(id: NodeId): Promise<void> {
    const member = this.get(id);
    await this.#change(member, async () => {
      if (this.#closed) throw new ShutdownError();
      await this.#kill(member);
      await this.#start(member);
    });
  }

  /** Stops a node. Its storage stays. */
  async kill(id: NodeId): Promise<void> {
    const member = this.get(id);
    await this.#change(member, () => this.#kill(member));
  }

  /** Stops a node for good. */
  async discard(id: NodeId): Promise<void> {
    await this.kill(id);
    this.#members.delete(id);
  }

  /** Stops every node; none can be started any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.ids.map((id) => this.kill(id)));
  }

  #change(member: Member<D, R, M>, change: () => Promise<void>): Promise<void> {
    const done = member.changed.then(change);
    member.changed = done.catch(() => {});
    return done;
  }

  async #kill(member: Member<D, R, M>): Promise<void> {
    const { raft } = member;
    if (raft === null) return;
    member.raft = null;
    this.#network.leave(member.id);
    await raft.shutdown();
  }

  async #start(member: Member<D, R, M>): Promise<void> {
    const { config, runtime, logger, tracer, checkInvariants } = this.#options;
    const { id, storage } = member;
    member.raft = await Raft.create<TypeConfig<D, R>>({
      id,
      storage,
      stateMachine: storage.stateMachine,
      network: this.#network.from(id),
      ...(config === undefined ? {} : { config }),
      ...(runtime === undefined ? {} : { runtime: runtime(id) }),
      ...(logger === undefined ? {} : { logger }),
      ...(tracer === undefined ? {} : { tracer }),
      ...(checkInvariants === undefined ? {} : { checkInvariants }),
    });
    this.#network.join(member.raft);
  }
}
