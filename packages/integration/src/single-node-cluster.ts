import type { BytesTypeConfig, LogId, Response } from "@seshat/common";
import { ShutdownError, StoppedError } from "@seshat/common";
import type { ClientWriteResponse, RaftNode } from "@seshat/raft";
import type { Operation } from "@seshat/storage";
import { OpenRaftMemStorage, checkOperation } from "@seshat/storage";
import { CountingStateMachine } from "./counting-state-machine.js";
import { RestartingError } from "./errors.js";
import { accepted, countOf, countPresent, readingKey, readingKeys, requestOf } from "./key-value-calls.js";
import type { CheckedSingleNodeOptions, SingleNodeClusterOptions } from "./single-node-options.js";
import { checkSingleNodeOptions } from "./single-node-options.js";
import type { SingleNodeStatus } from "./single-node-status.js";
import { startLeader } from "./start-leader.js";

/** Where a cluster is in its life. */
type Phase =
  | { readonly type: "running" }
  | { readonly type: "restarting" }
  | { readonly type: "failed"; readonly cause: Error }
  | { readonly type: "shutDown" };

const RUNNING: Phase = { type: "running" };

/**
 * One Raft node with a key-value state machine, all in memory: a cluster of one that goes the whole way of a
 * larger one for every write (append, persist, commit by quorum, apply).
 *
 * Keys and values are any bytes. Every call settles: it resolves, or rejects with a typed error.
 */
export class SingleNodeCluster implements AsyncDisposable {
  /** The storage of the node, the same before and after a restart: to look at, not to write to. */
  readonly storage: OpenRaftMemStorage<BytesTypeConfig>;
  readonly #options: CheckedSingleNodeOptions;
  readonly #stateMachine: CountingStateMachine;
  #node: RaftNode;
  #phase: Phase = RUNNING;
  #restarts = 0;
  /** The restart under way or last done. It never rejects. */
  #restarted: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  private constructor(
    options: CheckedSingleNodeOptions,
    stateMachine: CountingStateMachine,
    storage: OpenRaftMemStorage<BytesTypeConfig>,
    node: RaftNode,
  ) {
    this.#options = options;
    this.#stateMachine = stateMachine;
    this.storage = storage;
    this.#node = node;
  }

  /** See {@link startSingleNodeCluster}. */
  static async start(options: SingleNodeClusterOptions): Promise<SingleNodeCluster> {
    const checked = checkSingleNodeOptions(options);
    const stateMachine = new CountingStateMachine();
    const storage = new OpenRaftMemStorage<BytesTypeConfig>(stateMachine);
    const node = await startLeader(checked, storage);
    return new SingleNodeCluster(checked, stateMachine, storage, node);
  }

  /** The node at this moment; a restart replaces it. */
  get node(): RaftNode {
    return this.#node;
  }

  /**
   * Sets `key` to `value`.
   *
   * @returns the log id of the entry, once it is committed and applied.
   * @throws {OperationTooLargeError} when the key or value is larger than the limits: nothing was written.
   * @throws {UnknownOutcomeError} when the node stopped before it could tell whether the write happened.
   */
  async set(key: Uint8Array, value: Uint8Array): Promise<LogId> {
    return (await this.#write({ type: "set", key, value })).logId;
  }

  /**
   * Removes those of `keys` (at least one) that exist.
   *
   * @returns how many there were; one given twice counts once. Errors as for {@link set}.
   */
  async del(keys: readonly Uint8Array[]): Promise<number> {
    return countOf(await this.#write({ type: "del", keys }));
  }

  /**
   * Reads the value of `key`, or null. The read is linearizable: it sees every write that was answered
   * before it began.
   *
   * @returns a copy.
   */
  async get(key: Uint8Array): Promise<Uint8Array | null> {
    await this.#readyToRead(readingKey(key));
    return this.#stateMachine.get(key);
  }

  /** How many of `keys` (at least one) exist; one given twice counts twice. Linearizable, as {@link get}. */
  async exists(keys: readonly Uint8Array[]): Promise<number> {
    await this.#readyToRead(readingKeys(keys));
    return countPresent(this.#stateMachine, keys);
  }

  /** What the cluster looks like now. It can be asked at any time, also after a shutdown. */
  status(): SingleNodeStatus {
    const metrics = this.#node.metrics();
    return {
      nodeId: metrics.id,
      state: metrics.state,
      term: metrics.term,
      leaderId: metrics.currentLeader,
      lastLogId: metrics.lastLogId,
      committed: metrics.committed,
      lastApplied: metrics.lastApplied,
      snapshot: metrics.snapshot,
      purged: metrics.purged,
      keys: this.#stateMachine.size,
      snapshotsTaken: this.#stateMachine.snapshotsTaken,
      restarts: this.#restarts,
    };
  }

  /**
   * Takes a snapshot now, whatever the policy; the log behind it is purged as the configuration says.
   *
   * @returns the last entry that it holds, once it is kept.
   */
  async snapshot(): Promise<LogId> {
    return await this.#running().triggerSnapshot();
  }

  /**
   * Shuts the node down, starts a new one over the same storage, and resolves when it leads. Nothing that was
   * answered is lost. Calls that are under way are settled by the node's shutdown; calls made in the meantime
   * are refused with `RestartingError`.
   *
   * @throws {TimeoutError} when the new node does not lead in time. The cluster has then failed: every later
   *   call is refused with `StoppedError`.
   */
  async restart(): Promise<void> {
    const node = this.#running();
    this.#phase = { type: "restarting" };
    const done = this.#replace(node);
    this.#restarted = done.catch(() => {});
    await done;
  }

  /** Settles everything under way and stops the node. Safe to call twice, and while a restart is under way. */
  async shutdown(): Promise<void> {
    this.#phase = { type: "shutDown" };
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #replace(old: RaftNode): Promise<void> {
    try {
      await old.shutdown();
      this.#node = await startLeader(this.#options, this.storage);
      this.#restarts += 1;
      if (this.#phase.type === "restarting") this.#phase = RUNNING;
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (this.#phase.type === "restarting") this.#phase = { type: "failed", cause };
      throw cause;
    }
  }

  async #stop(): Promise<void> {
    // A restart under way brings the node that is to be stopped.
    await this.#restarted;
    await this.#node.shutdown();
  }

  async #write(operation: Operation): Promise<ClientWriteResponse<Response>> {
    const node = this.#running();
    return accepted(await node.clientWrite(requestOf(operation, this.#options.limits)));
  }

  async #readyToRead(reading: Operation): Promise<void> {
    const node = this.#running();
    checkOperation(reading, this.#options.limits);
    await node.ensureLinearizable();
  }

  #running(): RaftNode {
    switch (this.#phase.type) {
      case "running":
        return this.#node;
      case "restarting":
        throw new RestartingError();
      case "failed":
        throw new StoppedError(this.#phase.cause);
      case "shutDown":
        throw new ShutdownError();
      default:
        return this.#phase satisfies never;
    }
  }
}

/**
 * Starts a cluster of one node over new in-memory storage, and resolves when the node leads.
 *
 * @throws {InvalidValueError} when an option or a setting in `options.config` cannot be used; it names the field.
 * @throws {TimeoutError} when the node does not lead within `options.startTimeoutMs`.
 */
export async function startSingleNodeCluster(
  options: SingleNodeClusterOptions = {},
): Promise<SingleNodeCluster> {
  return await SingleNodeCluster.start(options);
}
