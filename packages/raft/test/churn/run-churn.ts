import type { NodeId } from "@seshat/common";
import { isJoint } from "@seshat/common";
import type { RaftConfig } from "../../src/config.js";
import { SeededRandom } from "../../src/testing.js";
import { nodesFor } from "../support/values.js";
import { ChurnFailure, must } from "./churn-failure.js";
import { plainWriter, reader, sessionWriter } from "./clients.js";
import type { Coverage } from "./coverage.js";
import { describeNodes } from "./describe-nodes.js";
import type { Running } from "./fleet.js";
import { Fleet, POOL } from "./fleet.js";
import { Operator } from "./operator.js";
import { Weather } from "./weather.js";

/** How a run is made. */
export interface ChurnOptions {
  readonly seed: number;
  /** How long it lasts, in virtual seconds; the time to come to rest at the end is added. */
  readonly seconds: number;
  readonly coverage: Coverage;
  /** Called about once a virtual second. */
  readonly progress?: (now: ChurnProgress) => void;
}

export interface ChurnProgress {
  readonly seconds: number;
  readonly committed: number;
  readonly voters: readonly NodeId[];
  readonly term: number;
}

/** What a run came to. */
export interface ChurnReport {
  readonly seed: number;
  readonly virtualMs: number;
  readonly messages: number;
  readonly committed: number;
  readonly effective: number;
  readonly term: number;
  /** Storms that were survived. */
  readonly storms: number;
}

const STEP_MS = 50;

/** How long the cluster may take to come to rest once nothing goes wrong any more. Repairs by the operator are part of that. */
const REST_LIMIT_MS = 60_000;

/** Timers of a node at rest: its own, a few of its connections, and one for each heartbeat on its way. */
const TIMERS_AT_REST = 24;

function configFor(random: SeededRandom): Partial<RaftConfig> {
  return {
    clusterId: "churn",
    electionTimeoutMinMs: 300,
    electionTimeoutMaxMs: 600,
    heartbeatIntervalMs: 100,
    backoffMaxMs: 200,
    leaderLease: random.chance(0.5),
    preVote: random.chance(0.85),
    maxPayloadEntries: random.integer(1, 40),
    maxInFlightAppends: random.integer(1, 8),
    maxPayloadBytes: random.integer(200, 4000),
    maxApplyEntries: random.integer(1, 60),
    logCacheEntries: random.integer(1, 200),
    // Little room: whoever is not let go of when it is done for is missed soon.
    maxPendingRequests: 128,
    maxUncommittedEntries: 400,
    snapshotPolicy: { type: "logsSinceLast", entries: random.integer(20, 60) },
    maxInSnapshotLogToKeep: random.integer(0, 20),
    maxLogToKeepForFollowers: random.integer(0, 80),
    snapshotChunkBytes: random.integer(60, 700),
    snapshotTimeoutMs: 2000,
    replicationLagThreshold: random.integer(5, 60),
    storageStallMs: 500,
  };
}

/**
 * Lets a cluster live through changes of its membership, faults of every kind, and load; after each storm it has to come to rest, with
 * nothing lost. One seed decides everything.
 *
 * @throws {ChurnFailure} with the seed, the virtual time and the last events, when a promise was broken.
 */
export async function runChurn(options: ChurnOptions): Promise<ChurnReport> {
  const run = new ChurnRun(options);
  try {
    return await run.go();
  } catch (error) {
    const { clock, lastEvents } = run.fleet;
    const message = error instanceof Error ? error.message : String(error);
    throw new ChurnFailure(
      `seed ${options.seed}, after ${(clock.now / 1000).toFixed(3)} virtual seconds: ${message}\nThe last events:\n${lastEvents.join("\n")}\nThe nodes:\n${describeNodes(run.fleet)}\n(seed ${options.seed}: ${message})`,
    );
  }
}

class ChurnRun {
  readonly fleet: Fleet;
  readonly #options: ChurnOptions;
  readonly #random: SeededRandom;
  readonly #operator: Operator;
  readonly #weather: Weather;
  readonly #leases: boolean;
  #resting = false;
  readonly #wake: (() => void)[] = [];
  #storms = 0;
  #lastProgress = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    const config = configFor(this.#random);
    this.#leases = config.leaderLease === true;
    this.fleet = new Fleet(this.#random.u32(), options.coverage, config);
    this.#operator = new Operator(this.fleet, this.#random.fork());
    this.#weather = new Weather(this.fleet, this.#operator, this.#random.fork());
  }

  async go(): Promise<ChurnReport> {
    const { fleet } = this;
    const founders = POOL.slice(0, this.#random.integer(1, 5));
    await this.#until("all nodes to start", this.#startAll());
    const [first] = founders as [NodeId];
    await this.#until(
      "the founding",
      (fleet.running.get(first) as Running).raft.initialize(nodesFor(...founders)),
    );
    this.#setToWork();
    const endMs = this.#options.seconds * 1000;
    while (fleet.clock.now < endMs) {
      this.#weather.storm();
      const stormMs = Math.min(this.#random.integer(30_000, 120_000), endMs - fleet.clock.now);
      await this.#advance(stormMs);
      await this.#rest(fleet.clock.now >= endMs);
      this.#storms += 1;
    }
    const { term } = (fleet.leader() as Running).raft.metrics();
    await this.#until("all nodes to stop", this.#stopAll());
    const { committed, effective } = fleet.witness;
    const { messages, clock } = fleet;
    return {
      seed: this.#options.seed,
      virtualMs: clock.now,
      messages,
      committed,
      effective,
      term,
      storms: this.#storms,
    };
  }

  #setToWork(): void {
    const { fleet } = this;
    const mayWork = async (): Promise<void> => {
      while (this.#resting) await new Promise<void>((resolve) => this.#wake.push(resolve));
    };
    const client = (name: string, meanPauseMs: number) => ({
      fleet,
      name,
      random: this.#random.fork(),
      leases: this.#leases,
      mayWork,
      meanPauseMs,
    });
    for (const name of ["s1", "s2", "s3"]) fleet.background(sessionWriter(client(name, 400)));
    for (const name of ["w1", "w2", "w3"]) fleet.background(plainWriter(client(name, 250)));
    for (const name of ["r1", "r2", "r3"]) fleet.background(reader(client(name, 250)));
    for (const pause of [900, 1500]) fleet.background(this.#operator.work(pause, mayWork));
    fleet.background(this.#operator.mend());
    for (let i = 0; i < 2; i++) fleet.background(this.#weather.blow());
  }

  /** The storm is over: everybody is to agree, and nothing to be missing. */
  async #rest(last: boolean): Promise<void> {
    const { fleet } = this;
    await this.#until("everything to be mended", this.#weather.calm());
    // Load goes on for a moment while the cluster recovers.
    await this.#advance(this.#random.integer(0, 2000));
    this.#resting = true;
    const limit = fleet.clock.now + REST_LIMIT_MS;
    while (this.#unrest() !== null) {
      must(fleet.clock.now < limit, () => `no rest within ${REST_LIMIT_MS} ms: ${this.#unrest()}`);
      await this.#advance(STEP_MS);
    }
    await this.#advance(1500);
    must(this.#unrest() === null, () => `no lasting rest: ${this.#unrest()}`);
    this.#checkContents();
    this.#checkIdle();
    if (last) await this.#until("the snapshots to be compared", this.#compareSnapshots());
    this.#resting = false;
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** What still has to come to rest; null when nothing has. */
  #unrest(): string | null {
    const { fleet } = this;
    const settled = fleet.settledMembership();
    if (settled === undefined) return "the members do not agree on one membership";
    if (isJoint(settled.membership)) return "the membership is joint";
    if (fleet.blank.size > 0)
      return `erased learners are not as far as the others: ${[...fleet.blank].join()}`;
    if (fleet.erased.size > 0) return `erased voters are not replaced: ${[...fleet.erased.keys()].join()}`;
    if (this.#operator.anybodyLost()) return "a node has moved, and the membership does not say so";
    // Who was removed before it had applied what a read waits for gets there when it is added again, if ever.
    const waiting = [...fleet.waiting].filter(
      ([name, on]) => settled.membership.nodes.has(on) || !name.startsWith("read"),
    );
    if (waiting.length > 0) return `no answer to: ${waiting.map(([name]) => name).join("; ")}`;
    const leader = (fleet.leader() as Running).raft.metrics();
    for (const id of settled.membership.nodes.keys()) {
      const node = fleet.running.get(id);
      if (node === undefined) return `member ${id} does not run`;
      const { lastLogId, lastApplied, currentLeader, term, replication, transferTarget, storageStalled } =
        node.raft.metrics();
      if (currentLeader !== leader.id || term !== leader.term)
        return `member ${id} follows ${currentLeader} in term ${term}`;
      if (lastLogId.index !== leader.lastLogId.index)
        return `the log of member ${id} ends at ${lastLogId.index}, not ${leader.lastLogId.index}`;
      if (lastApplied.index !== leader.lastLogId.index)
        return `member ${id} has applied ${lastApplied.index} of ${leader.lastLogId.index}`;
      if (transferTarget !== null) return `member ${id} is in a transfer to ${transferTarget}`;
      if (storageStalled !== null) return `the storage of member ${id} is stalled`;
      for (const [to, { mode, lag }] of replication ?? []) {
        if (mode !== "pipeline" || lag > 0) return `node ${to} is at mode ${mode}, ${lag} behind`;
      }
    }
    return null;
  }

  /** All members hold exactly what was carried out. */
  #checkContents(): void {
    const { fleet } = this;
    const { membership } = fleet.settledMembership() as NonNullable<ReturnType<Fleet["settledMembership"]>>;
    const { lastApplied } = (fleet.leader() as Running).raft.metrics();
    must(
      fleet.witness.floor <= lastApplied.index,
      () => `${fleet.witness.floor} was acknowledged, but the log ends at ${lastApplied.index}`,
    );
    const expected = fleet.witness.contentAt(lastApplied.index);
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    for (const id of membership.nodes.keys()) {
      const { kv } = fleet.running.get(id) as Running;
      must(kv.size === expected.size, () => `member ${id} holds ${kv.size} keys, and not ${expected.size}`);
      for (const [key, value] of expected) {
        const found = kv.get(encoder.encode(key));
        const held = found === null ? null : decoder.decode(found);
        must(held === value, () => `member ${id} holds ${held} at key ${key}, and not ${value}`);
      }
    }
  }

  /** Snapshots hold the sessions too. */
  async #compareSnapshots(): Promise<void> {
    const { membership } = this.fleet.settledMembership() as NonNullable<
      ReturnType<Fleet["settledMembership"]>
    >;
    let first: string | null = null;
    for (const id of membership.nodes.keys()) {
      const builder = this.fleet.disk(id).machine.raft.snapshotBuilder();
      const { data } = await builder.buildSnapshot(() => Promise.resolve());
      const bytes: number[] = [];
      for await (const chunk of data.read(0)) for (const byte of chunk) bytes.push(byte);
      const content = String.fromCharCode(...bytes);
      first ??= content;
      must(content === first, () => `the snapshot of member ${id} differs from the first`);
    }
  }

  /** Nobody waits for anything any more. */
  #checkIdle(): void {
    for (const [id, timers] of this.fleet.timers) {
      must(timers <= TIMERS_AT_REST, () => `node ${id} has ${timers} timers with nothing to do`);
    }
    for (const [id, { unsynced, writing, installing }] of this.fleet.disks) {
      must(
        unsynced.length === 0 && writing === null && installing === "no",
        () => `the disk of node ${id} is busy with nothing to do`,
      );
    }
    must(
      this.#operator.changing === 0,
      () => `${this.#operator.changing} changes of the membership never ended`,
    );
  }

  async #startAll(): Promise<void> {
    for (const id of POOL) await this.fleet.start(id);
  }

  async #stopAll(): Promise<void> {
    for (const id of POOL) await this.fleet.stop(id);
  }

  async #until<T>(what: string, promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    const limit = this.fleet.clock.now + 30_000;
    while (!settled) {
      must(this.fleet.clock.now < limit, () => `${what} did not happen within 30 virtual seconds`);
      await this.#advance(5);
    }
    return promise;
  }

  async #advance(ms: number): Promise<void> {
    const { fleet } = this;
    const end = fleet.clock.now + ms;
    while (fleet.clock.now < end) {
      await fleet.clock.advance(Math.min(STEP_MS, end - fleet.clock.now));
      if (fleet.failure !== null) throw fleet.failure;
      this.#report();
    }
  }

  #report(): void {
    const seconds = Math.floor(this.fleet.clock.now / 1000);
    const { progress } = this.#options;
    if (progress === undefined || seconds === this.#lastProgress) return;
    this.#lastProgress = seconds;
    const metrics = this.fleet.leader()?.raft.metrics();
    progress({
      seconds,
      committed: this.fleet.witness.committed,
      voters: metrics?.membership.membership.configs.at(-1) ?? [],
      term: metrics?.term ?? 0,
    });
  }
}
