import type { BasicNode, LogId, NodeId, TypeConfig } from "@seshat/common";
import { InvalidValueError, ShutdownError } from "@seshat/common";
import type { ClientWriteResponse, RaftMetrics } from "@seshat/raft";
import { Raft, systemRuntime } from "@seshat/raft";
import { InProcessNetwork } from "@seshat/raft/testing";
import { OpenRaftMemStorage } from "@seshat/storage";
import { checkTimeoutMs } from "../check-options.js";
import { ClusterClient } from "./cluster-client.js";
import type { ClusterOptions } from "./cluster-options.js";
import { checkClusterOptions, checkStateMachine } from "./cluster-options.js";

interface Member<D, R, M> {
  readonly id: NodeId;
  readonly storage: OpenRaftMemStorage<TypeConfig<D, R>>;
  readonly stateMachine: M;
  /** Null while the node is killed. */
  raft: Raft<TypeConfig<D, R>> | null;
  /** The starts and kills so far. They wait for each other: two lives of a node must not share its storage. */
  changed: Promise<void>;
}

/** How long one attempt of a call may take, and the pause before the next. */
const ATTEMPT_TIMEOUT_MS = 1000;
const PAUSE_MS = 20;

/**
 * Several nodes in one process, with storage in memory and a network that can be cut: to learn, to try a state machine out, and
 * for tests. A node that is killed keeps its storage, as a machine that loses its power keeps its disk.
 */
export class Cluster<D, R, M> implements AsyncDisposable {
  readonly #options: ClusterOptions<D, R, M>;
  readonly #members = new Map<NodeId, Member<D, R, M>>();
  readonly #client: ClusterClient<TypeConfig<D, R>>;
  #shutDown = false;
  /** The network between the nodes. */
  readonly network: InProcessNetwork<TypeConfig<D, R>>;

  private constructor(options: ClusterOptions<D, R, M>, timeoutMs: number) {
    this.#options = options;
    const runtime = options.runtime?.(null) ?? systemRuntime;
    this.network = new InProcessNetwork<TypeConfig<D, R>>(runtime);
    this.#client = new ClusterClient<TypeConfig<D, R>>(() => this.running(), runtime, {
      timeoutMs,
      attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
      pauseMs: PAUSE_MS,
    });
  }

  /** See {@link startCluster}. */
  static async start<D, R, M>(options: ClusterOptions<D, R, M>): Promise<Cluster<D, R, M>> {
    const { nodes, timeoutMs } = checkClusterOptions(options);
    const cluster = new Cluster<D, R, M>(options, timeoutMs);
    try {
      for (let id = 1; id <= nodes; id++) {
        const stateMachine = options.stateMachine(id);
        checkStateMachine(stateMachine);
        const storage = new OpenRaftMemStorage<TypeConfig<D, R>>(stateMachine);
        cluster.#members.set(id, { id, storage, stateMachine, raft: null, changed: Promise.resolve() });
        await cluster.restart(id);
      }
      const members = cluster.ids.map((id): [NodeId, BasicNode] => [id, { addr: `n${id}` }]);
      await cluster.node(1)?.initialize(members);
    } catch (error) {
      await cluster.shutdown();
      throw error;
    }
    return cluster;
  }

  /** Every node, running or killed, ascending. */
  get ids(): readonly NodeId[] {
    return [...this.#members.keys()];
  }

  /** A node, or null while it is killed. */
  node(id: NodeId): Raft<TypeConfig<D, R>> | null {
    return this.#member(id).raft;
  }

  /** The nodes that run. */
  running(): readonly Raft<TypeConfig<D, R>>[] {
    return [...this.#members.values()].flatMap(({ raft }) => (raft === null ? [] : [raft]));
  }

  /** The state machine of a node: to read from. Only {@link read} makes sure that it is up to date. */
  stateMachine(id: NodeId): M {
    return this.#member(id).stateMachine;
  }

  /** The last entry that a node has applied, running or killed; index 0 when none. */
  lastApplied(id: NodeId): LogId {
    return this.#member(id).storage.stateMachine.readAppliedState().lastAppliedLogId;
  }

  /** What a node knows of itself; null while it is killed. */
  metrics(id: NodeId): RaftMetrics<BasicNode> | null {
    return this.node(id)?.metrics() ?? null;
  }

  /**
   * Replicates a command, wherever the leader is, and applies it once, however many nodes fail in between. Commands that
   * wait at the same time may take effect in any order: who minds waits for the first before sending the second.
   *
   * @param timeoutMs how long it may take, in milliseconds, 1 to 2^31 - 1. Default: `options.timeoutMs`.
   * @throws {UnknownOutcomeError} when there was no answer in time, and the command may be in a log. After every other
   *   error it has no effect, now or later.
   */
  async write(data: D, timeoutMs?: number): Promise<ClientWriteResponse<R>> {
    if (timeoutMs !== undefined) checkTimeoutMs("timeoutMs", timeoutMs);
    return await this.#client.write(data, timeoutMs);
  }

  /**
   * Reads from a state machine that holds every write that was answered before.
   *
   * @param look called with the state machine: reads, and keeps nothing of it.
   * @param from the node to read from; by default the leader.
   * @throws {TimeoutError}, {NotLeaderError} or {QuorumNotEnoughError} when no quorum confirmed the read in time.
   */
  async read<T>(look: (stateMachine: M) => T, from?: NodeId): Promise<T> {
    if (from !== undefined) this.#member(from);
    const { node } = await this.#client.readIndex(from);
    return look(this.stateMachine(node));
  }

  /** Stops a node without a farewell, as a power failure would. Its storage stays. */
  async kill(id: NodeId): Promise<void> {
    const member = this.#member(id);
    await this.#change(member, () => this.#kill(member));
  }

  /**
   * Starts a node over its storage; one that runs is killed first.
   *
   * @throws {ShutdownError} when the cluster was shut down.
   */
  async restart(id: NodeId): Promise<void> {
    const member = this.#member(id);
    await this.#change(member, async () => {
      if (this.#shutDown) throw new ShutdownError();
      await this.#kill(member);
      await this.#start(member);
    });
  }

  /** Stops every node, and settles every call that is under way. Later calls are refused with `ShutdownError`. */
  async shutdown(): Promise<void> {
    this.#shutDown = true;
    this.#client.close();
    await Promise.all(this.ids.map((id) => this.kill(id)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
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
    this.network.leave(member.id);
    await raft.shutdown();
  }

  async #start(member: Member<D, R, M>): Promise<void> {
    const { config, runtime, logger, tracer, checkInvariants } = this.#options;
    const { id, storage } = member;
    member.raft = await Raft.create<TypeConfig<D, R>>({
      id,
      storage,
      stateMachine: storage.stateMachine,
      network: this.network.from(id),
      ...(config === undefined ? {} : { config }),
      ...(runtime === undefined ? {} : { runtime: runtime(id) }),
      ...(logger === undefined ? {} : { logger }),
      ...(tracer === undefined ? {} : { tracer }),
      ...(checkInvariants === undefined ? {} : { checkInvariants }),
    });
    this.network.join(member.raft);
  }

  #member(id: NodeId): Member<D, R, M> {
    const member = this.#members.get(id);
    if (member === undefined) throw new InvalidValueError("node", id, `one of ${this.ids.join(", ")}`);
    return member;
  }
}

/**
 * Starts several nodes in this process and founds a cluster of them. It can be written to at once: writes wait for the
 * first election.
 *
 * @throws {InvalidValueError} when an option cannot be used; it names the field.
 */
export async function startCluster<D, R, M>(options: ClusterOptions<D, R, M>): Promise<Cluster<D, R, M>> {
  return await Cluster.start(options);
}
