import type { NodeId, RaftTypeConfig } from "@seshat/common";
import type { RaftConfig } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { Nemesis } from "../faults/nemesis.js";
import type { Plan } from "../faults/plan.js";
import { HistoryRecorder } from "../linearizability/history-recorder.js";
import { WatchedTransport } from "../network/watched-transport.js";
import { ClientOracle } from "../oracle/client-oracle.js";
import { Oracle } from "../oracle/oracle.js";
import { Replicas } from "../oracle/replicas.js";
import { Violation } from "../oracle/violation.js";
import { WatchedMachine } from "../oracle/watched-machine.js";
import type { StoreCodec } from "../storage/codec.js";
import { encodedOnce, jsonCodec } from "../storage/codec.js";
import { SimNodeStore } from "../storage/sim-node-store.js";
import type { RunOptions } from "../simulation.js";
import type { System } from "../system.js";
import { Trace } from "../trace.js";
import { SimClient } from "../workload/sim-client.js";
import { Cluster } from "../world/cluster.js";
import { completeStore } from "../world/complete-store.js";
import type { NodeStore } from "../world/node-storage.js";
import { describeCluster } from "./describe-cluster.js";
import { EPOCH_MS, outsideOf } from "./life-outside.js";

/** Small numbers, so that snapshots, purges and several portions happen in a short run. */
const CONFIG: Partial<RaftConfig> = {
  snapshotPolicy: { type: "logsSinceLast", entries: 60 },
  maxInSnapshotLogToKeep: 5,
  maxLogToKeepForFollowers: 100,
  snapshotTimeoutMs: 2_000,
  maxPayloadEntries: 16,
  storageStallMs: 500,
  replicationLagThreshold: 50,
};

/** How long clients think where neither the plan nor the system says otherwise. */
const USUAL_THINK_MS = 2;

/** One run of a plan: everything that takes part in it, and the first thing that went wrong. */
export class Run<C extends RaftTypeConfig, Input, Output> {
  readonly plan: Plan;
  readonly system: System<C, Input, Output>;
  readonly clock: VirtualClock = new VirtualClock();
  /** Follows requests into the log; null where their commands carry no numbers. */
  readonly clientOracle: ClientOracle<unknown, Input, Output> | null;
  readonly oracle: Oracle;
  readonly replicas: Replicas<C["D"]> = new Replicas<C["D"]>();
  readonly trace: Trace;
  readonly cluster: Cluster<C>;
  readonly nemesis: Nemesis<C>;
  readonly history: HistoryRecorder<Input, Output> = new HistoryRecorder<Input, Output>();
  readonly clients: SimClient<C, Input, Output>[] = [];
  readonly coverage: Map<string, number> = new Map();
  readonly describe: (id: NodeId, moves: number) => C["Node"];
  /** The smallest illegal part of the history as SVG; null while there is none. */
  picture: string | null = null;
  /** The nodes that reach each other once the run is healed. */
  core: readonly NodeId[] = [];
  /** The term in which the healed cluster came to rest. */
  restTerm = 0;
  readonly #maxSteps: number;
  readonly #codec: StoreCodec<C>;
  #violation: Error | null = null;

  constructor(plan: Plan, system: System<C, Input, Output>, looks: RunOptions) {
    this.plan = plan;
    this.#maxSteps = looks.maxSteps ?? Number.POSITIVE_INFINITY;
    this.system = system;
    const { command, ...others } = system.codec ?? { command: jsonCodec<C["D"]>() };
    this.#codec = { ...others, command: encodedOnce(command) };
    this.trace = new Trace(looks.trace ?? false);
    this.describe =
      system.describe?.bind(system) ??
      ((id, moves): C["Node"] => ({ addr: moves === 0 ? `node-${id}` : `node-${id}-${moves}` }));
    this.clientOracle = makeClientOracle(system);
    this.oracle = new Oracle((index, command, response) =>
      this.clientOracle?.applied(index, command, response),
    );
    const random = new SeededRandom(plan.seed);
    let lives = 0;
    const { clock, oracle, trace, describe } = this;
    this.cluster = new Cluster<C>({
      clock,
      random: random.fork(),
      oracle,
      trace,
      config: {
        ...CONFIG,
        leaderLease: plan.leases,
        snapshotChunkBytes: plan.snapshotChunkBytes,
        thriftyDelayMs: plan.thriftyDelayMs ?? 0,
        ...system.config,
      },
      describe,
      transport:
        system.transport === undefined
          ? null
          : new WatchedTransport(system.transport, oracle, (violation) => this.fail(violation)),
      makeMachine: (id, life) =>
        new WatchedMachine<C["D"], C["R"]>({
          node: id,
          inner: system.makeMachine(),
          replicas: this.replicas,
          ...outsideOf(id, life, plan.seed, (lives += 1)),
          isAlive: () => life.alive,
          tap: oracle.machineOf(id),
          fail: (violation) => this.fail(violation),
        }),
      makeStore: (id, chance) => this.#makeStore(id, chance),
    });
    const timers = clock.runtime(random.fork());
    this.nemesis = new Nemesis<C>(
      this.cluster,
      (delayMs, callback) => void timers.setTimer(delayMs, callback),
    );
    const slowness = (system.thinkMs ?? USUAL_THINK_MS) / USUAL_THINK_MS;
    const hasSessions = system.makeMachine().responseCodec !== undefined;
    for (let i = 0; i < plan.clients; i += 1) {
      const chance = random.fork();
      this.clients.push(
        new SimClient<C, Input, Output>({
          name: `client${i + 1}`,
          system,
          cluster: this.cluster,
          random: chance,
          history: this.history,
          oracle: this.clientOracle,
          check: (check) => oracle.check(check),
          keys: plan.keys,
          largeBytes: plan.largeBytes ?? 0,
          leases: plan.leases,
          exactlyOnce: hasSessions && chance.next() < 0.5,
          // One that does little but read notices what writers, who wait longer, do not.
          readShare: i > 0 && chance.next() < 0.4 ? 0.95 : 0.4,
          thinkMs: () => this.nemesis.thinkMs * slowness,
          setTimer: (delayMs, callback) => timers.setTimer(delayMs, callback),
          now: () => EPOCH_MS + clock.now,
        }),
      );
    }
  }

  /** The first thing that did not hold; null while everything does. */
  get violation(): Error | null {
    return this.#violation ?? this.oracle.violation;
  }

  get failed(): boolean {
    return this.#violation !== null || this.oracle.violation !== null;
  }

  /** True when there is nothing more to run for. */
  get over(): boolean {
    return this.failed || this.cluster.steps >= this.#maxSteps;
  }

  fail(error: Error): void {
    if (!this.failed) this.#violation = error;
  }

  count(what: string, times = 1): void {
    this.coverage.set(what, (this.coverage.get(what) ?? 0) + times);
  }

  /** Moves time on until `promise` settles, or something fails. @returns its value. */
  async until<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    try {
      await this.clock.runUntil(what, () => settled || this.over, limitMs);
    } catch (thrown) {
      throw new Violation("D liveness", `${String(thrown)}: ${describeCluster(this.cluster)}`);
    }
    if (!settled) throw new Error("the run is over");
    return promise;
  }

  #makeStore(id: NodeId, random: SeededRandom): NodeStore<C> {
    const { system, clock } = this;
    if (system.makeStore !== undefined) return completeStore(system.makeStore(id, random, clock));
    return new SimNodeStore<C>({
      random: random.fork(),
      runtime: clock.runtime(random),
      codec: this.#codec,
      segmentBytes: 4096,
    });
  }
}

function makeClientOracle<C extends RaftTypeConfig, Input, Output>(
  system: System<C, Input, Output>,
): ClientOracle<unknown, Input, Output> | null {
  const { model, attempts } = system;
  if (model === undefined || attempts === undefined) return null;
  return new ClientOracle<unknown, Input, Output>({
    model,
    attemptOf: (command) => attempts.of(command),
    outputOf: (response, input) =>
      system.toOutput === undefined ? (response as Output) : system.toOutput(response, input),
  });
}
