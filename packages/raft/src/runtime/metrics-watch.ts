import type { AsyncRuntime, NodeId, SeshatError } from "@seshat/common";
import { TimeoutError } from "@seshat/common";
import type { Condition } from "../condition.js";
import { ChangeStream } from "./change-stream.js";
import { toError } from "./failure.js";
import type { RaftMetrics } from "./metrics.js";

/** What is watched. */
export interface Watched<N> {
  metrics(): RaftMetrics<N>;
  /** Calls back after every turn in which something happened, and when the node stops. @returns how to end that. */
  watch(watcher: () => void): () => void;
  /** Why the node does not run; null while it does. */
  readonly stopped: SeshatError | null;
  leaderId(): NodeId | null;
}

/** Follows what a node knows of itself: until something holds, or change by change. Costs nothing while nobody looks. */
export class MetricsWatch<N> {
  readonly #watched: Watched<N>;
  readonly #clock: AsyncRuntime;
  readonly #listenerFailed: (error: Error) => void;

  /** @param listenerFailed told what a listener threw. */
  constructor(watched: Watched<N>, clock: AsyncRuntime, listenerFailed: (error: Error) => void) {
    this.#watched = watched;
    this.#clock = clock;
    this.#listenerFailed = listenerFailed;
  }

  /** Waits until the condition holds. It is looked at now and after every turn; what it throws ends the wait. */
  until(condition: Condition, timeoutMs: number, signal?: AbortSignal): Promise<RaftMetrics<N>> {
    if (signal?.aborted === true) return Promise.reject(toError(signal.reason));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", aborted);
        unwatch();
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const aborted = (): void => fail(toError(signal?.reason));
      const look = (): void => {
        try {
          const metrics = this.#watched.metrics();
          if (condition.holds(metrics)) {
            settle();
            resolve(metrics);
          } else if (this.#watched.stopped !== null) {
            fail(this.#watched.stopped);
          }
        } catch (error) {
          fail(toError(error));
        }
      };
      const timer = this.#clock.setTimer(timeoutMs, () => fail(new TimeoutError(condition.what, timeoutMs)));
      const unwatch = this.#watched.watch(look);
      signal?.addEventListener("abort", aborted, { once: true });
      look();
    });
  }

  /**
   * Calls `listener` with the leader each time that another one is known, or none. What it throws is told, and changes nothing else: whoever
   * watches a node cannot stop it.
   *
   * @returns how to end that.
   */
  onLeaderChange(listener: (leaderId: NodeId | null) => void): () => void {
    let known = this.#watched.leaderId();
    return this.#watched.watch(() => {
      const leaderId = this.#watched.leaderId();
      if (leaderId === known) return;
      known = leaderId;
      try {
        listener(leaderId);
      } catch (thrown) {
        this.#listenerFailed(toError(thrown));
      }
    });
  }

  /** Ends when the node has stopped. */
  whenStopped(): Promise<void> {
    if (this.#watched.stopped !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const unwatch = this.#watched.watch(() => {
        if (this.#watched.stopped === null) return;
        unwatch();
        resolve();
      });
    });
  }

  /** The selected value, now and each time that it is another one. It ends when the node stops, or its reader does. */
  changes<T>(
    select: (metrics: RaftMetrics<N>) => T,
    isSame: (a: T, b: T) => boolean,
  ): AsyncGenerator<T, void, undefined> {
    const watched = this.#watched;
    return new ChangeStream<T>({
      read: () => select(watched.metrics()),
      isSame,
      watch: (watcher) => watched.watch(watcher),
      isOver: () => watched.stopped !== null,
    });
  }
}
