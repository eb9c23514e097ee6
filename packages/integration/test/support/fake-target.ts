import type { LogId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import type { NodeTarget } from "../../src/prompt/command-target.js";
import type { SingleNodeStatus } from "../../src/single-node-status.js";
import { text } from "./bytes.js";

/** A status in which nothing has happened, but for what is given. */
export function statusWith(changes: Partial<SingleNodeStatus>): SingleNodeStatus {
  return {
    nodeId: 1,
    state: "leader",
    term: 1,
    leaderId: 1,
    lastLogId: ZERO_LOG_ID,
    committed: ZERO_LOG_ID,
    lastApplied: ZERO_LOG_ID,
    snapshot: ZERO_LOG_ID,
    purged: ZERO_LOG_ID,
    keys: 0,
    snapshotsTaken: 0,
    restarts: 0,
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
export class FakeTarget implements NodeTarget {
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

  set(key: Uint8Array, value: Uint8Array): Promise<unknown> {
    const copy = value.slice();
    return this.#call(`set ${text(key)}`, () => this.data.set(text(key), copy));
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

  status(): SingleNodeStatus {
    return statusWith({ keys: this.data.size });
  }

  snapshot(): Promise<LogId> {
    return this.#call("snapshot", () => ({ term: 1, index: 7 }));
  }

  restart(): Promise<void> {
    return this.#call("restart", () => undefined);
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
