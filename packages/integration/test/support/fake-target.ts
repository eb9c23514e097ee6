import type { LogId, NodeId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import type { NodeLogId } from "../../src/cluster/cluster.js";
import type { KeyValueClusterStatus, NodeStatus } from "../../src/cluster/key-value-cluster-status.js";
import type { CommandTarget } from "../../src/prompt/command-target.js";
import { text } from "./bytes.js";

/** A node that leads and in which nothing has happened, but for what is given. */
export function nodeWith(changes: Partial<NodeStatus>): NodeStatus {
  return {
    nodeId: 1,
    state: "leader",
    member: "voter",
    term: 1,
    lastLogId: ZERO_LOG_ID,
    committed: ZERO_LOG_ID,
    lastApplied: ZERO_LOG_ID,
    snapshot: ZERO_LOG_ID,
    purged: ZERO_LOG_ID,
    lag: 0,
    mode: null,
    snapshotProgress: null,
    stalled: null,
    ...changes,
  };
}

/** The status of a cluster of one in which nothing has happened, but for what is given. */
export function statusWith(changes: Partial<KeyValueClusterStatus>): KeyValueClusterStatus {
  return {
    leaderId: 1,
    membership: { configs: [[1]], learners: [], joint: false },
    transferTarget: null,
    nodes: [nodeWith({})],
    partition: null,
    lastApplied: ZERO_LOG_ID,
    keys: 0,
    snapshotsTaken: 0,
    ...changes,
  };
}

/** One call that a {@link FakeTarget} received and has not answered. */
interface PendingCall {
  readonly name: string;
  readonly settle: (error: Error | null) => void;
}

/**
 * A key-value store whose calls take effect and settle when the test says so, in any order: what a cluster
 * may do at its slowest. With `immediate` it answers by itself.
 */
export class FakeTarget implements CommandTarget {
  readonly data: Map<string, Uint8Array> = new Map();
  /** The calls that were made and not yet settled, oldest first. */
  readonly pending: PendingCall[] = [];
  /** The most calls that were unsettled at once. */
  mostPending = 0;
  readonly #immediate: boolean;

  constructor(immediate: boolean) {
    this.#immediate = immediate;
  }

  /** Settles the pending call at `position`; with an error it has no effect. */
  settle(position = 0, error: Error | null = null): void {
    const [call] = this.pending.splice(position, 1);
    if (call === undefined) throw new Error(`no call is pending at ${position}`);
    call.settle(error);
  }

  /** The names of the pending calls. */
  get calls(): readonly string[] {
    return this.pending.map((call) => call.name);
  }

  set(key: Uint8Array, value: Uint8Array): Promise<LogId> {
    const copy = value.slice();
    return this.#call(`set ${text(key)}`, () => {
      this.data.set(text(key), copy);
      return ZERO_LOG_ID;
    });
  }

  get(key: Uint8Array): Promise<Uint8Array | null> {
    return this.#call(`get ${text(key)}`, () => this.data.get(text(key)) ?? null);
  }

  del(keys: readonly Uint8Array[]): Promise<number> {
    return this.#call(
      `del ${keys.map(text).join(" ")}`,
      () => keys.filter((key) => this.data.delete(text(key))).length,
    );
  }

  exists(keys: readonly Uint8Array[]): Promise<number> {
    return this.#call(
      `exists ${keys.map(text).join(" ")}`,
      () => keys.filter((key) => this.data.has(text(key))).length,
    );
  }

  /** What `status` answers, but for the number of keys. */
  shown: Partial<KeyValueClusterStatus> = {};

  status(): KeyValueClusterStatus {
    return statusWith({ keys: this.data.size, ...this.shown });
  }

  addNode(id: NodeId = 2): Promise<NodeId> {
    return this.#call(`add ${id}`, () => id);
  }

  removeNode(id: NodeId): Promise<void> {
    return this.#call(`remove ${id}`, () => undefined);
  }

  transferLeader(to: NodeId = 2): Promise<NodeId> {
    return this.#call(`transfer ${to}`, () => to);
  }

  waitForLeader(): Promise<NodeId> {
    return this.#call("leader", () => 1);
  }

  snapshot(id?: NodeId): Promise<readonly NodeLogId[]> {
    return this.#call("snapshot", () => [{ nodeId: id ?? 1, logId: { term: 1, index: 7 } }]);
  }

  purgeLog(id?: NodeId): Promise<readonly NodeLogId[]> {
    return this.#call("purge", () => [{ nodeId: id ?? 1, logId: { term: 1, index: 7 } }]);
  }

  kill(id: NodeId): Promise<void> {
    return this.#call(`kill ${id}`, () => undefined);
  }

  restart(id: NodeId): Promise<void> {
    return this.#call(`restart ${id}`, () => undefined);
  }

  partition(groups: readonly (readonly NodeId[])[]): readonly (readonly NodeId[])[] {
    return groups;
  }

  heal(): void {
    this.shown = { ...this.shown, partition: null };
  }

  #call<T>(name: string, effect: () => T): Promise<T> {
    if (this.#immediate) return Promise.resolve(effect());
    return new Promise((resolve, reject) => {
      this.pending.push({
        name,
        settle: (error) => {
          if (error === null) resolve(effect());
          else reject(error);
        },
      });
      this.mostPending = Math.max(this.mostPending, this.pending.length);
    });
  }
}
