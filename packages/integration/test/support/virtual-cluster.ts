import type { NodeId } from "@seshat/common";
import type { RaftConfig } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { Cluster } from "../../src/cluster/cluster.js";
import { startCluster } from "../../src/cluster/cluster.js";
import type { KeyValueClusterOptions } from "../../src/cluster/key-value-cluster.js";
import { KeyValueCluster } from "../../src/cluster/key-value-cluster.js";
import { Ledger } from "./ledger.js";

/** Time that a test moves, and what it does with it. */
export interface VirtualTime {
  readonly clock: VirtualClock;
  /** Moves time on until the promise settles. It fails past `limitMs`. */
  readonly settle: <T>(promise: Promise<T>, limitMs?: number) => Promise<T>;
  /** What the promise rejects with, as {@link settle}. */
  readonly failure: (promise: Promise<unknown>, limitMs?: number) => Promise<Error>;
}

/** What a test chooses of a cluster. */
export interface VirtualClusterOptions {
  readonly nodes?: number;
  readonly timeoutMs?: number;
  readonly config?: Partial<RaftConfig>;
  readonly seed?: number;
}

function virtualTime(clock: VirtualClock): VirtualTime {
  const settle = <T>(promise: Promise<T>, limitMs = 60_000): Promise<T> =>
    clock.runUntilSettled(promise, limitMs);
  return {
    clock,
    settle,
    failure: (promise, limitMs) =>
      settle(
        promise.then(
          (value) => Promise.reject(new Error(`it succeeded, with ${JSON.stringify(value)}`)),
          (error: unknown) => error as Error,
        ),
        limitMs,
      ),
  };
}

/** A cluster of ledgers on virtual time, with a network that takes its time, and invariants checked after every step. */
export async function startLedgers({ seed = 1, ...options }: VirtualClusterOptions = {}) {
  const clock = new VirtualClock();
  const time = virtualTime(clock);
  const random = new SeededRandom(seed);
  let broken: Error | null = null;
  const starting = startCluster({
    ...options,
    stateMachine: () => {
      if (broken !== null) throw broken;
      return new Ledger();
    },
    runtime: () => clock.runtime(random.fork()),
    checkInvariants: true,
  });
  const cluster = await time.settle(starting);
  cluster.network.setFaults({ minLatencyMs: 0.5, maxLatencyMs: 3 });
  const leader = async (): Promise<NodeId> => {
    await clock.runUntil("a leader", () => leaderOf(cluster) !== null, 5000);
    return leaderOf(cluster) as NodeId;
  };
  /** From now on no state machine can be made. */
  const breakStateMachines = (error: Error): void => {
    broken = error;
  };
  return { ...time, random, cluster, leader, breakStateMachines };
}

/** A key-value cluster on virtual time, as {@link startLedgers}. */
export async function startKeyValues(options: KeyValueClusterOptions = {}) {
  const clock = new VirtualClock();
  const time = virtualTime(clock);
  const random = new SeededRandom(7);
  const cluster = await time.settle(
    KeyValueCluster.start({
      runtime: () => clock.runtime(random.fork()),
      checkInvariants: true,
      ...options,
    }),
  );
  cluster.cluster.network.setFaults({ minLatencyMs: 0.5, maxLatencyMs: 3 });
  return { ...time, cluster };
}

/** The node that leads by its own belief, of the latest term; null when there is none. */
export function leaderOf<D, R, M>(cluster: Cluster<D, R, M>): NodeId | null {
  const leaders = cluster.running().filter((node) => node.isLeader());
  return leaders.toSorted((a, b) => b.metrics().term - a.metrics().term)[0]?.id ?? null;
}
