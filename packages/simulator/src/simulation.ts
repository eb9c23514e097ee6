import type { BasicNode, NodeId } from "@seshat/common";
import { isJoint, voterIds } from "@seshat/common";
import type { Raft, RaftConfig } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { Plan } from "./faults/plan.js";
import { Nemesis } from "./faults/nemesis.js";
import { checkLinearizability } from "./linearizability/check-linearizability.js";
import { HistoryRecorder } from "./linearizability/history-recorder.js";
import { linearizabilityReport } from "./linearizability/report.js";
import { Oracle } from "./oracle/oracle.js";
import { Violation } from "./oracle/violation.js";
import { Trace } from "./trace.js";
import { SimClient } from "./workload/sim-client.js";
import type { SimCommand } from "./workload/sim-machine.js";
import { SimMachine } from "./workload/sim-machine.js";
import type { SimInput, SimOutput } from "./workload/sim-model.js";
import { simModel } from "./workload/sim-model.js";
import type { SimTypes } from "./workload/sim-types.js";
import { Cluster } from "./world/cluster.js";
import type { NodeStore } from "./world/node-storage.js";
import { jsonCodec } from "./storage/codec.js";
import { SimNodeStore } from "./storage/sim-node-store.js";

/** What a run is made with. */
export interface SimulationOptions {
  /** Keep the trace as text, too. */
  readonly trace?: boolean;
  /** Where nodes keep what outlives them. Default: `SimNodeStore`, on a simulated disk. */
  readonly makeStore?: (id: NodeId, random: SeededRandom, clock: VirtualClock) => NodeStore<SimTypes>;
  /** Changes to the settings of the nodes. */
  readonly config?: Partial<RaftConfig>;
}

/** What came of a run. */
export interface SimulationResult {
  readonly seed: number;
  /** What did not hold; null when everything did. */
  readonly violation: Error | null;
  /** Steps of all engines. */
  readonly steps: number;
  readonly virtualMs: number;
  /** Equal for two runs exactly when they did the same. */
  readonly traceHash: string;
  readonly trace: readonly string[];
  /** How often what happened: faults, operations, protocol states. */
  readonly coverage: ReadonlyMap<string, number>;
}

/** How long a healed cluster may take to come to rest, in virtual milliseconds. */
const CONVERGENCE_MS = 30_000;

/** Small numbers, so that snapshots, purges and several portions happen in a short run. */
const CONFIG: Partial<RaftConfig> = {
  snapshotPolicy: { type: "logsSinceLast", entries: 60 },
  maxInSnapshotLogToKeep: 5,
  maxLogToKeepForFollowers: 100,
  snapshotChunkBytes: 200,
  snapshotTimeoutMs: 2_000,
  maxPayloadEntries: 16,
  storageStallMs: 500,
  replicationLagThreshold: 50,
};

/** Runs a plan: first with its faults, then healed, when the cluster must come to rest and serve. */
export async function simulate(plan: Plan, options: SimulationOptions = {}): Promise<SimulationResult> {
  const run = new Run(plan, options);
  await run.run();
  return run.result();
}

class Run {
  readonly #plan: Plan;
  readonly #clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #oracle = new Oracle();
  readonly #trace: Trace;
  readonly #cluster: Cluster<SimTypes>;
  readonly #nemesis: Nemesis<SimTypes>;
  readonly #history = new HistoryRecorder<SimInput, SimOutput>();
  readonly #clients: SimClient[] = [];
  readonly #coverage = new Map<string, number>();
  #violation: Error | null = null;

  constructor(plan: Plan, options: SimulationOptions) {
    this.#plan = plan;
    this.#random = new SeededRandom(plan.seed);
    this.#trace = new Trace(options.trace ?? false);
    const describe = (id: NodeId): BasicNode => ({ addr: `node-${id}` });
    this.#cluster = new Cluster<SimTypes>({
      clock: this.#clock,
      random: this.#random.fork(),
      oracle: this.#oracle,
      trace: this.#trace,
      config: { ...CONFIG, leaderLease: plan.leases, ...options.config },
      describe,
      makeMachine: () => new SimMachine(),
      makeStore: (id, random) => (options.makeStore ?? makeSimStore)(id, random, this.#clock),
    });
    const timers = this.#clock.runtime(this.#random.fork());
    const setTimer = (delayMs: number, callback: () => void): void => void timers.setTimer(delayMs, callback);
    this.#nemesis = new Nemesis<SimTypes>(this.#cluster, setTimer, describe);
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimer(ms, resolve));
    for (let i = 0; i < plan.clients; i += 1) {
      this.#clients.push(
        new SimClient({
          name: `client${i + 1}`,
          cluster: this.#cluster,
          random: this.#random.fork(),
          history: this.#history,
          keys: plan.keys,
          leases: plan.leases,
          exactlyOnce: i % 2 === 1,
          thinkMs: () => this.#nemesis.thinkMs,
          sleep,
        }),
      );
    }
  }

  async run(): Promise<void> {
    try {
      await this.#found();
      const clients = this.#clients.map((client) => client.run());
      for (const client of clients) client.catch((thrown: unknown) => this.#fail(thrown as Error));
      await this.#disturb();
      await this.#recover();
      for (const client of this.#clients) client.stop();
      await this.#until("clients to end", Promise.all(clients), CONVERGENCE_MS);
      await this.#readAll();
      this.#checkHistory();
    } catch (thrown) {
      this.#fail(thrown as Error);
    }
    for (const { id } of this.#cluster.running()) this.#cluster.crash(id);
  }

  result(): SimulationResult {
    for (const { store } of this.#cluster.nodes.values()) {
      for (const [what, count] of store.faultCounts())
        this.#coverage.set(`disk ${what}`, (this.#coverage.get(`disk ${what}`) ?? 0) + count);
    }
    for (const [what, count] of this.#nemesis.counts) this.#coverage.set(what, count);
    for (const [what, count] of Object.entries(this.#cluster.network.counts))
      this.#coverage.set(`messages ${what}`, count as number);
    return {
      seed: this.#plan.seed,
      violation: this.#oracle.violation ?? this.#violation,
      steps: this.#cluster.steps,
      virtualMs: this.#clock.now,
      traceHash: this.#trace.hash,
      trace: this.#trace.lines,
      coverage: this.#coverage,
    };
  }

  #fail(error: Error): void {
    this.#violation ??= error;
  }

  get #failed(): boolean {
    return this.#violation !== null || this.#oracle.violation !== null;
  }

  async #found(): Promise<void> {
    const { voters, spares, clockRates } = this.#plan;
    for (const [i, id] of [...voters, ...spares].entries()) this.#cluster.add(id, clockRates[i] ?? 1);
    for (const id of voters)
      await this.#until(`node ${id} to start`, this.#cluster.start(id), CONVERGENCE_MS);
    const first = this.#cluster.node(voters[0] as NodeId).raft as Raft<SimTypes>;
    const nodes = voters.map((id): [NodeId, BasicNode] => [id, { addr: `node-${id}` }]);
    await this.#until("the founding", first.initialize(nodes), CONVERGENCE_MS);
  }

  /** The first phase: only safety is asked for. */
  async #disturb(): Promise<void> {
    for (const { at, act } of this.#plan.actions) {
      await this.#advanceTo(at);
      if (this.#failed) return;
      this.#trace.note(this.#clock.now, JSON.stringify(act));
      this.#nemesis.act(act);
    }
    await this.#advanceTo(this.#plan.faultyMs);
  }

  async #advanceTo(at: number): Promise<void> {
    while (this.#clock.now < at && !this.#failed) {
      await this.#clock.advance(Math.min(50, at - this.#clock.now));
      this.#reap();
    }
  }

  /** A node that stopped by itself is started again, as its supervisor would. */
  #reap(): void {
    for (const { id, stopCause } of this.#cluster.reap()) {
      if (stopCause !== null && !isDiskFault(stopCause)) this.#fail(stopCause);
      this.#count("node stopped by a disk error");
      void this.#cluster.start(id);
    }
  }

  /** The second phase: everything works again, so the cluster must come to rest and serve. */
  async #recover(): Promise<void> {
    if (this.#failed) return;
    this.#trace.note(this.#clock.now, "everything is healed");
    await this.#until("every node to start", this.#nemesis.healAll(), CONVERGENCE_MS);
    const until = this.#clock.now + CONVERGENCE_MS;
    this.#nemesis.thinkMs = 5;
    let rested = false;
    while (!rested && !this.#failed) {
      if (this.#clock.now > until) {
        this.#fail(
          new Violation("D liveness", `the healed cluster does not come to rest: ${this.#describe()}`),
        );
        return;
      }
      await this.#clock.advance(100);
      this.#reap();
      // One that did not start is tried again, as its supervisor would.
      for (const id of this.#cluster.nodes.keys()) void this.#cluster.start(id);
      await this.#until("an erased voter to be replaced", this.#nemesis.replaceErased(), CONVERGENCE_MS);
      const answered = this.#clients.map((client) => client.answered);
      if (!this.#isAtRest()) continue;
      // Fresh writes and reads work, from every client.
      await this.#clock.advance(1_500);
      rested = this.#clients.every((client, i) => client.answered > (answered[i] as number));
    }
  }

  /** D1, D2, D5: one leader that all members follow, nobody joint, nobody behind for good. */
  #isAtRest(): boolean {
    const leader = this.#cluster.leader();
    if (leader === null) return false;
    const { membership, replication, term, committed } = (leader.raft as Raft<SimTypes>).metrics();
    if (isJoint(membership.membership) || !voterIds(membership.membership).includes(leader.id)) return false;
    return [...membership.membership.nodes.keys()].every((id) => {
      const { raft } = this.#cluster.node(id);
      if (raft === null) return false;
      const metrics = raft.metrics();
      const progress = replication?.get(id);
      return (
        metrics.term === term &&
        metrics.currentLeader === leader.id &&
        committed.index - metrics.lastApplied.index < 50 &&
        (progress === undefined || progress.mode === "pipeline")
      );
    });
  }

  async #readAll(): Promise<void> {
    if (this.#failed) return;
    const reader = this.#clients[0] as SimClient;
    for (const kind of ["register", "counter", "set"]) {
      for (let i = 0; i < this.#plan.keys; i += 1)
        await this.#until("a last read", reader.readUntilAnswered(`${kind}${i}`), CONVERGENCE_MS);
    }
    // D3: at rest all members have applied the same; that their states are equal the hashes say.
    await this.#clock.advance(500);
    const leader = this.#cluster.leader()?.raft?.metrics();
    for (const id of leader?.membership.membership.nodes.keys() ?? []) {
      const applied = this.#cluster.node(id).raft?.metrics().lastApplied.index;
      if (applied !== leader?.lastApplied.index)
        this.#fail(
          new Violation("D3 members converge", `node ${id} has applied ${applied}: ${this.#describe()}`),
        );
    }
  }

  #checkHistory(): void {
    if (this.#failed) return;
    const result = checkLinearizability(this.#history.history(), simModel, { maxSteps: 2_000_000 });
    this.#count(`histories ${result.verdict}`);
    if (result.verdict === "illegal") {
      this.#fail(new Violation("C8 linearizability", linearizabilityReport(result, simModel)));
    }
  }

  async #until<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    try {
      await this.#clock.runUntil(what, () => settled || this.#failed, limitMs);
    } catch (thrown) {
      throw new Violation("D liveness", `${String(thrown)}: ${this.#describe()}`);
    }
    if (!settled) throw new Error("the run failed");
    return promise;
  }

  #describe(): string {
    return [...this.#cluster.nodes.values()]
      .map(({ id, raft, stopCause }) => {
        if (raft === null) return `${id} down${stopCause === null ? "" : ` (${stopCause.message})`}`;
        const { state, term, lastLogId, committed, lastApplied, membership, currentLeader } = raft.metrics();
        return `${id} ${state} t${term} log ${lastLogId.index} committed ${committed.index} applied ${lastApplied.index} leader ${currentLeader} voters ${JSON.stringify(membership.membership.configs)}`;
      })
      .join("; ");
  }

  #count(what: string): void {
    this.#coverage.set(what, (this.#coverage.get(what) ?? 0) + 1);
  }
}

function isDiskFault(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "DiskError") return true;
  }
  return false;
}

function makeSimStore(_: NodeId, random: SeededRandom, clock: VirtualClock): NodeStore<SimTypes> {
  return new SimNodeStore<SimTypes>({
    random: random.fork(),
    runtime: clock.runtime(random),
    codec: { command: jsonCodec<SimCommand>() },
    segmentBytes: 4096,
  });
}
