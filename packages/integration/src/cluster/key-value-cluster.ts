import type { LogId, NodeId, Request, Response } from "@seshat/common";
import type { ClientWriteResponse } from "@seshat/raft";
import { systemRuntime, until } from "@seshat/raft";
import type { Operation, OperationLimits } from "@seshat/storage";
import { checkOperation } from "@seshat/storage";
import { checkLimits } from "../check-options.js";
import { CountingStateMachine } from "../counting-state-machine.js";
import { NodeDownError } from "../errors.js";
import { accepted, countOf, countPresent, readingKey, readingKeys, requestOf } from "../key-value-calls.js";
import type { Cluster, NodeLogId } from "./cluster.js";
import { startCluster } from "./cluster.js";
import type { ClusterOptions } from "./cluster-options.js";
import { checkClusterOptions } from "./cluster-options.js";
import { KeyOrder } from "./key-order.js";
import type { KeyValueClusterStatus } from "./key-value-cluster-status.js";
import { lookAt } from "./key-value-cluster-status.js";
import { completePartition } from "./partition.js";

/** How a key-value cluster is set up. Every field may be left out. */
export interface KeyValueClusterOptions extends Omit<
  ClusterOptions<Request, Response, CountingStateMachine>,
  "stateMachine"
> {
  /** The largest keys, values and numbers of keys. Default: 256 bytes, 64 KiB, 1024 keys. */
  readonly limits?: Partial<OperationLimits>;
}

/** How long the first election may take. A user who is quick to give up on calls still wants it to happen. */
const START_TIMEOUT_MS = 10_000;

/**
 * One node or several with a key-value state machine each, in one process and in memory, that can be killed, started again, cut
 * off from each other, added and removed. Reads and writes find the leader by themselves.
 *
 * Keys and values are any bytes. Writes to one key take effect in the order of the calls.
 */
export class KeyValueCluster implements AsyncDisposable {
  /** The nodes and the network between them: to look at, and for what this class has no method for. */
  readonly cluster: Cluster<Request, Response, CountingStateMachine>;
  readonly #limits: OperationLimits;
  readonly #timeoutMs: number;
  readonly #order: KeyOrder;
  #partition: readonly (readonly NodeId[])[] | null = null;

  private constructor(
    cluster: Cluster<Request, Response, CountingStateMachine>,
    limits: OperationLimits,
    timeoutMs: number,
    order: KeyOrder,
  ) {
    this.cluster = cluster;
    this.#limits = limits;
    this.#timeoutMs = timeoutMs;
    this.#order = order;
  }

  /** See {@link startKeyValueCluster}. */
  static async start(options: KeyValueClusterOptions): Promise<KeyValueCluster> {
    const { limits, ...rest } = options;
    const checkedLimits = checkLimits(limits ?? {});
    const clusterOptions = { ...rest, stateMachine: () => new CountingStateMachine() };
    const { timeoutMs } = checkClusterOptions(clusterOptions);
    const order = new KeyOrder(options.runtime?.(null) ?? systemRuntime);
    const cluster = await startCluster<Request, Response, CountingStateMachine>(clusterOptions);
    try {
      await cluster.node(1)?.wait(until.leader(), START_TIMEOUT_MS);
    } catch (error) {
      await cluster.shutdown();
      throw error;
    }
    return new KeyValueCluster(cluster, checkedLimits, timeoutMs, order);
  }

  /** Every node, running or killed, ascending. */
  get ids(): readonly NodeId[] {
    return this.cluster.ids;
  }

  /**
   * Sets `key` to `value`.
   *
   * @returns the log id of the entry, once it is committed and applied.
   * @throws {OperationTooLargeError} when the key or value is larger than the limits: nothing was written.
   * @throws {UnknownOutcomeError} when there was no answer in time, and it may be written, now or later. After every other
   *   error nothing is written, now or later.
   */
  async set(key: Uint8Array, value: Uint8Array): Promise<LogId> {
    return (await this.#write({ type: "set", key, value }, [key])).logId;
  }

  /** Removes those of `keys` (at least one) that exist. @returns how many there were. Errors as for {@link set}. */
  async del(keys: readonly Uint8Array[]): Promise<number> {
    return countOf(await this.#write({ type: "del", keys }, keys));
  }

  /**
   * Reads the value of `key`, or null. The read is linearizable: it sees every write that was answered before it began.
   *
   * @returns a copy.
   * @throws {TimeoutError}, {NotLeaderError} or {QuorumNotEnoughError} when no quorum confirmed it in time.
   */
  async get(key: Uint8Array): Promise<Uint8Array | null> {
    checkOperation(readingKey(key), this.#limits);
    return await this.cluster.read((stateMachine) => stateMachine.get(key));
  }

  /** How many of `keys` (at least one) exist; one given twice counts twice. Linearizable, as {@link get}. */
  async exists(keys: readonly Uint8Array[]): Promise<number> {
    checkOperation(readingKeys(keys), this.#limits);
    return await this.cluster.read((stateMachine) => countPresent(stateMachine, keys));
  }

  /** What the cluster looks like now. It can be asked at any time, also after a shutdown. */
  status(): KeyValueClusterStatus {
    return lookAt(this.cluster, this.#partition);
  }

  /**
   * Adds a node: see {@link Cluster.addNode}. While links are cut it joins the group of the leader.
   *
   * @returns its id.
   */
  async addNode(id?: NodeId): Promise<NodeId> {
    const chosen = id ?? this.cluster.nextId;
    const { leaderId } = this.status();
    const groups = this.#partition;
    if (groups !== null && leaderId !== null && !this.ids.includes(chosen)) {
      this.#cut(groups.map((group) => (group.includes(leaderId) ? [...group, chosen] : group)));
    }
    try {
      return await this.cluster.addNode(chosen);
    } finally {
      this.#forgetStrangers();
    }
  }

  /** Removes a node and stops it: see {@link Cluster.removeNode}. */
  async removeNode(id: NodeId): Promise<void> {
    await this.cluster.removeNode(id);
    this.#forgetStrangers();
  }

  /** Hands the leadership over: see {@link Cluster.transferLeader}. @returns who leads. */
  async transferLeader(to?: NodeId): Promise<NodeId> {
    return await this.cluster.transferLeader(to);
  }

  /** Takes snapshots now, on one node or on all that run: see {@link Cluster.snapshot}. */
  async snapshot(id?: NodeId): Promise<readonly NodeLogId[]> {
    return await this.cluster.snapshot(id);
  }

  /** Purges the log of one node, or of all that run, as far as the snapshot goes: see {@link Cluster.purgeLog}. */
  async purgeLog(id?: NodeId): Promise<readonly NodeLogId[]> {
    return await this.cluster.purgeLog(id);
  }

  /**
   * Waits until a leader has the consent of a majority, and what was committed before it is applied.
   *
   * @returns its id.
   * @throws {TimeoutError}, {NotLeaderError} or {QuorumNotEnoughError} when there was none in time.
   */
  async waitForLeader(): Promise<NodeId> {
    await this.cluster.read(() => undefined);
    return this.status().leaderId as NodeId;
  }

  /**
   * Stops a node without a farewell, as a power failure would. Its storage stays.
   *
   * @throws {NodeDownError} when it is killed already.
   */
  async kill(id: NodeId): Promise<void> {
    if (this.cluster.node(id) === null) throw new NodeDownError(id);
    await this.cluster.kill(id);
  }

  /** Starts a node over its storage, and stops it first if it runs. It catches up by itself. */
  async restart(id: NodeId): Promise<void> {
    await this.cluster.restart(id);
  }

  /**
   * Cuts every link between nodes of different groups, and mends every other. A node in no group is cut off from all.
   *
   * @returns all groups, those single nodes included.
   * @throws {InvalidValueError} when a node is unknown or in two groups, or a group is empty.
   */
  partition(groups: readonly (readonly NodeId[])[]): readonly (readonly NodeId[])[] {
    const complete = completePartition(groups, this.ids);
    this.#cut(complete);
    return complete;
  }

  /** Mends every link. */
  heal(): void {
    this.cluster.network.heal();
    this.#partition = null;
  }

  /** Stops every node and settles every call that is under way. Safe to call twice. */
  async shutdown(): Promise<void> {
    await this.cluster.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #write(operation: Operation, keys: readonly Uint8Array[]): Promise<ClientWriteResponse<Response>> {
    const request = requestOf(operation, this.#limits);
    const write = (timeoutMs: number): Promise<ClientWriteResponse<Response>> =>
      this.cluster.write(request, timeoutMs);
    return accepted(await this.#order.run(keys, this.#timeoutMs, write));
  }

  #cut(groups: readonly (readonly NodeId[])[]): void {
    this.heal();
    this.cluster.network.partition(...groups);
    if (groups.length > 1) this.#partition = groups;
  }

  /** Nodes that are gone are in no group any more. */
  #forgetStrangers(): void {
    if (this.#partition === null) return;
    const left = this.#partition.map((group) => group.filter((id) => this.ids.includes(id)));
    this.#cut(left.filter((group) => group.length > 0));
  }
}

/**
 * Starts a key-value cluster in this process, and resolves when it has a leader.
 *
 * @throws {InvalidValueError} when an option or a setting in `options.config` cannot be used; it names the field.
 * @throws {TimeoutError} when there is no leader within 10 s.
 */
export async function startKeyValueCluster(options: KeyValueClusterOptions = {}): Promise<KeyValueCluster> {
  return await KeyValueCluster.start(options);
}
