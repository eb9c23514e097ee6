import type { BasicNode, LogId, NodeId, TypeConfig } from "@seshat/common";
import { InvalidValueError, checkNodeId } from "@seshat/common";
import type { ClientWriteResponse, Raft, RaftMetrics } from "@seshat/raft";
import { systemRuntime, until } from "@seshat/raft";
import { InProcessNetwork } from "@seshat/raft/testing";
import { checkTimeoutMs } from "../check-options.js";
import { NodeNotAddedError } from "../errors.js";
import { ClusterClient } from "./cluster-client.js";
import { ClusterNodes } from "./cluster-nodes.js";
import type { ClusterOptions } from "./cluster-options.js";
import { MAX_NODES, checkClusterOptions } from "./cluster-options.js";
import { MembershipOperations } from "./membership-operations.js";

/** A log id of one node: how far its snapshot goes, or how much of its log was purged. */
export interface NodeLogId {
  readonly nodeId: NodeId;
  /** Index 0 stands for nothing. */
  readonly logId: LogId;
}

/** How long one attempt of a call may take, and the pause before the next. */
const ATTEMPT_TIMEOUT_MS = 1000;
const PAUSE_MS = 20;

/**
 * Several nodes in one process, with storage in memory and a network that can be cut: to learn, to try a state machine out, and
 * for tests. A node that is killed keeps its storage, as a machine that loses its power keeps its disk.
 */
export class Cluster<D, R, M> implements AsyncDisposable {
  readonly #nodes: ClusterNodes<D, R, M>;
  readonly #client: ClusterClient<TypeConfig<D, R>, Raft<TypeConfig<D, R>>>;
  readonly #membership: MembershipOperations<TypeConfig<D, R>>;
  /** The change of the members under way or last made: one at a time. It never rejects. */
  #membersChanged: Promise<unknown> = Promise.resolve();
  /** The network between the nodes. */
  readonly network: InProcessNetwork<TypeConfig<D, R>>;

  private constructor(options: ClusterOptions<D, R, M>, timeoutMs: number) {
    const runtime = options.runtime?.(null) ?? systemRuntime;
    this.network = new InProcessNetwork<TypeConfig<D, R>>(runtime);
    this.#nodes = new ClusterNodes<D, R, M>(options, this.network);
    const times = { timeoutMs, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS, pauseMs: PAUSE_MS };
    this.#client = new ClusterClient<TypeConfig<D, R>, Raft<TypeConfig<D, R>>>(
      () => this.running(),
      runtime,
      times,
    );
    this.#membership = new MembershipOperations<TypeConfig<D, R>>(this.#client, runtime, timeoutMs);
  }

  /** See {@link startCluster}. */
  static async start<D, R, M>(options: ClusterOptions<D, R, M>): Promise<Cluster<D, R, M>> {
    const { nodes, timeoutMs } = checkClusterOptions(options);
    const cluster = new Cluster<D, R, M>(options, timeoutMs);
    try {
      for (let id = 1; id <= nodes; id++) {
        await cluster.#nodes.startNew(id);
      }
      const members = cluster.ids.map((id): [NodeId, BasicNode] => [id, addressOf(id)]);
      await cluster.node(1)?.initialize(members);
    } catch (error) {
      await cluster.shutdown();
      throw error;
    }
    return cluster;
  }

  /** Every node, running or killed, ascending. */
  get ids(): readonly NodeId[] {
    return this.#nodes.ids;
  }

  /** The id that {@link addNode} gives: the lowest that no node has. */
  get nextId(): NodeId {
    let id = 1;
    while (this.#nodes.has(id)) id += 1;
    return id;
  }

  /** A node, or null while it is killed. */
  node(id: NodeId): Raft<TypeConfig<D, R>> | null {
    return this.#nodes.get(id).raft;
  }

  /** The nodes that run. */
  running(): readonly Raft<TypeConfig<D, R>>[] {
    return this.#nodes.running();
  }

  /** The state machine of a node: to read from. Only {@link read} makes sure that it is up to date. */
  stateMachine(id: NodeId): M {
    return this.#nodes.get(id).stateMachine;
  }

  /** The last entry that a node has applied, running or killed; index 0 when none. */
  lastApplied(id: NodeId): LogId {
    return this.#nodes.get(id).storage.stateMachine.readAppliedState().lastAppliedLogId;
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
    if (from !== undefined) this.#nodes.get(from);
    const { node } = await this.#client.readIndex(from);
    return look(this.stateMachine(node));
  }

  /**
   * Starts a node with empty storage and makes it a voter, once it has caught up; reads and writes go on meanwhile. For a node whose
   * addition failed half-way it goes on from there.
   *
   * @param id default: {@link nextId}. That of a node that was removed may be used again.
   * @returns its id.
   * @throws {NodeExistsError} when it votes already, and {InvalidValueError} when there are 9 nodes.
   * @throws {NodeNotAddedError} when it did not become a voter in time (`options.timeoutMs`): it runs on, and the error says what it is.
   *   After every other error there is no such node.
   */
  async addNode(id?: NodeId): Promise<NodeId> {
    if (id !== undefined) checkNodeId("node", id);
    return await this.#changeMembers(async () => {
      const chosen = id ?? this.nextId;
      const isNew = !this.#nodes.has(chosen);
      if (isNew && this.ids.length >= MAX_NODES) {
        throw new InvalidValueError("node", chosen, `one of at most ${MAX_NODES}: remove another one first`);
      }
      if (isNew) await this.#nodes.startNew(chosen);
      try {
        await this.#membership.add(chosen, addressOf(chosen));
      } catch (error) {
        if (isNew && !(error instanceof NodeNotAddedError)) await this.#nodes.discard(chosen);
        throw error;
      }
      return chosen;
    });
  }

  /**
   * Removes a node, running or killed, the leader too, and stops it. What it had stored is gone.
   *
   * @throws {LastVoterError} when no other node votes.
   * @throws {NodeNotRemovedError} when it is not known in time (`options.timeoutMs`) whether it is removed: it runs on. After every other
   *   error nothing has changed.
   */
  async removeNode(id: NodeId): Promise<void> {
    await this.#changeMembers(async () => {
      this.#nodes.get(id);
      await this.#membership.remove(id);
      await this.#nodes.discard(id);
    });
  }

  /**
   * Hands the leadership over. Writes wait meanwhile, for a second at most.
   *
   * @param to who is to lead; by default the voter that has most of the log.
   * @returns who leads.
   * @throws {NodeDownError} when the node is killed.
   * @throws {TransferFailedError} when it did not take over, and {InvalidChangeError} when no other voter answers.
   */
  async transferLeader(to?: NodeId): Promise<NodeId> {
    if (to !== undefined) this.#nodes.live(to);
    return await this.#membership.transfer(to);
  }

  /**
   * Takes snapshots now, whatever the policy; the logs behind them are purged as the configuration says.
   *
   * @param id the node that takes one; left out, every node that runs does.
   * @returns the last entry that each snapshot holds, once it is kept.
   * @throws {NodeDownError} when the node is killed.
   */
  async snapshot(id?: NodeId): Promise<readonly NodeLogId[]> {
    return await this.#onEach(id, (raft) => raft.trigger.snapshot());
  }

  /**
   * Removes from the log everything that the snapshot holds, whatever the configuration says is to be kept. A follower that lacks some of
   * it is sent the snapshot.
   *
   * @param id the node whose log is purged; left out, that of every node that runs.
   * @returns the last entry that was removed, now or before.
   * @throws {NodeDownError} when the node is killed.
   */
  async purgeLog(id?: NodeId): Promise<readonly NodeLogId[]> {
    return await this.#onEach(id, async (raft) => {
      const { index } = raft.metrics().snapshot;
      raft.trigger.purgeLog(index);
      return (await raft.wait(until.purged(index), ATTEMPT_TIMEOUT_MS)).purged;
    });
  }

  /** Stops a node without a farewell, as a power failure would. Its storage stays. */
  async kill(id: NodeId): Promise<void> {
    await this.#nodes.kill(id);
  }

  /**
   * Starts a node over its storage; one that runs is killed first.
   *
   * @throws {ShutdownError} when the cluster was shut down.
   */
  async restart(id: NodeId): Promise<void> {
    await this.#nodes.restart(id);
  }

  /** Stops every node, and settles every call that is under way. Later calls are refused with `ShutdownError`. */
  async shutdown(): Promise<void> {
    this.#client.close();
    await this.#nodes.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #onEach(
    id: NodeId | undefined,
    call: (raft: Raft<TypeConfig<D, R>>) => Promise<LogId>,
  ): Promise<readonly NodeLogId[]> {
    const nodes = id === undefined ? this.running() : [this.#nodes.live(id)];
    return await Promise.all(nodes.map(async (raft) => ({ nodeId: raft.id, logId: await call(raft) })));
  }

  #changeMembers<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#membersChanged.then(change);
    this.#membersChanged = done.catch(() => {});
    return done;
  }
}

/** Nodes of one process are found by their ids. */
function addressOf(id: NodeId): BasicNode {
  return { addr: `n${id}` };
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
