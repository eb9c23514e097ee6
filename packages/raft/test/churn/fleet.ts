import type {
  AsyncRuntime,
  BasicNode,
  BytesTypeConfig,
  LogLevel,
  NodeId,
  StoredMembership,
} from "@seshat/common";
import { SeshatError, isVoter, voterIds } from "@seshat/common";
import type { RaftConfig } from "../../src/config.js";
import { Raft } from "../../src/raft.js";
import type { RaftMetrics } from "../../src/runtime/metrics.js";
import { InProcessNetwork, SeededRandom, VirtualClock } from "../../src/testing.js";
import { addressedNetwork } from "./addressed-network.js";
import { ChurnFailure, must } from "./churn-failure.js";
import type { Coverage } from "./coverage.js";
import { Disk } from "./disk.js";
import type { Life } from "./life.js";
import { Witness } from "./witness.js";
import type { WitnessedKv } from "./witness.js";

/** Ids of all nodes there are; a part of them are members. */
export const POOL: readonly NodeId[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const EVENTS_KEPT = 1500;

/** A node that runs. */
export interface Running {
  readonly raft: Raft<BytesTypeConfig>;
  readonly life: Life;
  readonly kv: WitnessedKv;
  appliedIndex(): number;
}

/** The nodes of a run, their disks, their addresses, and the history of what happened to them. */
export class Fleet {
  readonly clock: VirtualClock = new VirtualClock();
  readonly coverage: Coverage;
  readonly witness: Witness;
  readonly random: SeededRandom;
  readonly network: InProcessNetwork<BytesTypeConfig>;
  readonly disks: ReadonlyMap<NodeId, Disk>;
  readonly running = new Map<NodeId, Running>();
  /** Nodes that are being started or stopped. */
  readonly busy = new Set<NodeId>();
  /** Those of them that are being started. */
  readonly starting = new Set<NodeId>();
  /** Where each node really listens. */
  readonly addresses = new Map<NodeId, string>();
  /** Voters whose disk was erased, with the store that the membership knows: they must not lead. */
  readonly erased = new Map<NodeId, number>();
  /** Learners whose disk was erased, until they have come as far as the leader again: before that it may take them for the old ones. */
  readonly blank = new Set<NodeId>();
  /** Timers that a node has set, by id; for what is left over when nothing goes on. */
  readonly timers = new Map<NodeId, number>();
  failure: ChurnFailure | null = null;
  messages = 0;
  /** Calls of clients and of the operator that have no answer yet. */
  readonly waiting = new Map<string, NodeId>();
  #calls = 0;
  readonly #config: Partial<RaftConfig>;
  readonly #timerRuntime: AsyncRuntime;
  readonly #events: string[] = [];
  #moves = 0;

  constructor(seed: number, coverage: Coverage, config: Partial<RaftConfig>) {
    this.coverage = coverage;
    this.witness = new Witness(coverage);
    this.random = new SeededRandom(seed);
    this.#config = config;
    this.#timerRuntime = this.clock.runtime(this.random.fork());
    this.network = new InProcessNetwork(this.clock.runtime(this.random.fork()));
    this.disks = new Map(
      POOL.map((id) => {
        const { clock, witness } = this;
        return [id, new Disk(id, { clock, coverage, witness, random: this.random.fork() })];
      }),
    );
    for (const id of POOL) this.addresses.set(id, `10.0.0.${id}:7000`);
  }

  disk(id: NodeId): Disk {
    return this.disks.get(id) as Disk;
  }

  /** What the operator writes into the membership. */
  where(id: NodeId): BasicNode {
    return { addr: this.addresses.get(id) as string };
  }

  /** Puts down what happened, for when something fails. */
  note(what: string): void {
    this.#events.push(`${this.clock.now.toFixed(1).padStart(10)} ${what}`);
    if (this.#events.length > 2 * EVENTS_KEPT) this.#events.splice(0, EVENTS_KEPT);
  }

  get lastEvents(): readonly string[] {
    return this.#events.slice(-EVENTS_KEPT);
  }

  /** The run is over: a promise was broken. */
  fail(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.failure ??= error instanceof ChurnFailure ? error : new ChurnFailure(message);
  }

  /** Something that goes on by itself. What it throws ends the run. */
  background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.fail(error));
  }

  /** A call that has to end, one way or the other. */
  async call<T>(what: string, on: NodeId, made: Promise<T>): Promise<T> {
    this.#calls += 1;
    const name = `${what} on node ${on} (call ${this.#calls}, at ${this.clock.now.toFixed(1)})`;
    this.waiting.set(name, on);
    try {
      return await made;
    } finally {
      this.waiting.delete(name);
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#timerRuntime.setTimer(ms, resolve));
  }

  /** A wait whose length is drawn, `meanMs` in the mean and not above four times that. */
  pause(meanMs: number, random: SeededRandom): Promise<void> {
    return this.sleep(Math.min(4 * meanMs, -meanMs * Math.log(1 - random.next())));
  }

  /** Starts a node over its disk. One that crashes meanwhile is started once more. */
  async start(id: NodeId): Promise<void> {
    must(!this.running.has(id) && !this.busy.has(id), () => `node ${id} runs already`);
    this.busy.add(id);
    this.starting.add(id);
    try {
      while (!(await this.#tryToStart(id))) this.coverage.add("fault crash while starting");
    } finally {
      this.busy.delete(id);
      this.starting.delete(id);
    }
  }

  /** @returns false when it crashed on the way. */
  async #tryToStart(id: NodeId): Promise<boolean> {
    const disk = this.disk(id);
    if (disk.holdsJoint()) this.coverage.add("joint seen again after a restart");
    const { life, storage, stateMachine } = disk.open();
    this.timers.set(id, 0);
    this.note(`node ${id} starts`);
    let raft: Raft<BytesTypeConfig>;
    try {
      raft = await Raft.create<BytesTypeConfig>({
        id,
        storage,
        stateMachine,
        network: addressedNetwork(this, id),
        config: this.#config,
        runtime: this.#runtimeOf(id, life),
        logger: { log: (level, event, fields) => this.#log(id, life, level, event, fields) },
        checkInvariants: true,
      });
    } catch (error) {
      if (life.dead) return false;
      throw error;
    }
    if (life.dead) {
      await raft.shutdown();
      return false;
    }
    const { machine } = disk;
    const appliedIndex = (): number => machine.raft.readAppliedState().lastAppliedLogId.index;
    this.running.set(id, { raft, life, kv: machine.kv, appliedIndex });
    this.network.join(raft);
    return true;
  }

  /** Stops a node in good order. */
  async stop(id: NodeId): Promise<void> {
    const { raft } = this.running.get(id) as Running;
    this.note(`node ${id} stops`);
    this.running.delete(id);
    this.busy.add(id);
    this.network.leave(id);
    await raft.shutdown();
    must(this.timers.get(id) === 0, () => `node ${id} stopped, and left ${this.timers.get(id)} timers`);
    this.disk(id).reopened();
    this.busy.delete(id);
  }

  /** A node is gone from one moment to the next; what was not synced may be lost. */
  crash(id: NodeId): void {
    const { raft } = this.running.get(id) as Running;
    this.note(`node ${id} crashes`);
    this.running.delete(id);
    this.network.leave(id);
    this.disk(id).crash();
    this.background(raft.shutdown());
  }

  /** As `crash`, for a node that is being started. */
  crashAtStart(id: NodeId): void {
    this.note(`node ${id} crashes while it starts`);
    this.disk(id).crash();
  }

  /** A node listens at another address from now on; nobody is told. */
  move(id: NodeId): void {
    this.addresses.set(id, `10.0.0.${id}:${7001 + this.#moves++}`);
    this.note(`node ${id} moves to ${this.addresses.get(id)}`);
  }

  /** The running node that leads in the highest term, as far as it knows. */
  leader(): Running | undefined {
    let best: { readonly node: Running; readonly term: number } | undefined;
    for (const node of this.running.values()) {
      if (!node.raft.isLeader()) continue;
      const { term } = node.raft.metrics();
      if (best === undefined || term > best.term) best = { node, term };
    }
    return best?.node;
  }

  /** Who belongs to the cluster, when every member runs, agrees on it, and knows that it is committed. Otherwise undefined. */
  settledMembership(): StoredMembership<BasicNode> | undefined {
    const leader = this.leader();
    if (leader === undefined) return undefined;
    const { membership, committed, term } = leader.raft.metrics();
    const { configs, nodes } = membership.membership;
    if (configs.length !== 1 || membership.logId.index > committed.index || committed.term !== term)
      return undefined;
    for (const id of nodes.keys()) {
      if (this.isLost(id)) continue;
      const metrics = this.running.get(id)?.raft.metrics();
      if (metrics?.membership.logId.index !== membership.logId.index) return undefined;
      if (metrics.committed.index < membership.logId.index) return undefined;
    }
    return membership;
  }

  /** True for a member that the cluster cannot count on until an operator has mended the membership. */
  isLost(id: NodeId): boolean {
    return this.erased.has(id) || this.blank.has(id) || this.hasMoved(id);
  }

  hasMoved(id: NodeId): boolean {
    const addr = this.leader()?.raft.metrics().membership.membership.nodes.get(id)?.addr;
    return addr !== undefined && addr !== this.addresses.get(id);
  }

  /** True when so many voters are sound that one more can be done without for long. */
  canSpare(id: NodeId): boolean {
    const settled = this.settledMembership();
    if (settled === undefined) return false;
    const { membership } = settled;
    if (!isVoter(membership, id)) return true;
    const voters = voterIds(membership);
    const lost = voters.filter((voter) => this.isLost(voter)).length;
    return lost + 1 <= Math.floor((voters.length - 1) / 2);
  }

  #runtimeOf(id: NodeId, life: Life): AsyncRuntime {
    const inner = this.clock.runtime(this.random.fork());
    const count = (change: number): void => {
      if (!life.dead) this.timers.set(id, (this.timers.get(id) as number) + change);
    };
    return {
      ...inner,
      setTimer: (delayMs, callback) => {
        let pending = true;
        const settle = (): void => {
          if (pending) count(-1);
          pending = false;
        };
        count(1);
        const timer = inner.setTimer(delayMs, () => {
          settle();
          callback();
        });
        return {
          cancel: () => {
            settle();
            timer.cancel();
          },
        };
      },
    };
  }

  #log(id: NodeId, life: Life, _level: LogLevel, event: string, fields: object): void {
    if (life.dead) return;
    const told = fields as Readonly<Record<string, unknown>>;
    switch (event) {
      case "raft.rpc.failed":
        return;
      case "raft.stopped":
        this.note(`node ${id} stopped by itself: ${String(told["error"])}`);
        this.fail(new ChurnFailure(`node ${id} stopped by itself: ${String(told["error"])}`));
        return;
      case "raft.role":
        if (told["to"] === "leader") this.#leads(id, told["term"] as number);
        break;
      case "raft.snapshot.built":
        this.coverage.add("snapshot built");
        break;
      case "raft.storage.stalled":
        this.coverage.add("storage stalled");
        break;
      case "raft.storage.resumed":
        this.coverage.add("storage resumed");
        break;
      default:
        break;
    }
    this.note(`node ${id} ${event} ${JSON.stringify(fields)}`);
  }

  #leads(id: NodeId, term: number): void {
    try {
      must(
        !this.erased.has(id),
        () => `node ${id} leads term ${term}, but the store from which it votes was erased`,
      );
      this.witness.leads(id, term);
    } catch (error) {
      this.fail(error);
    }
  }
}

/** The code of an error that Seshat throws on purpose. Anything else is a defect. */
export function codeOf(error: unknown): string {
  if (error instanceof SeshatError) return error.code;
  throw error;
}

/** What a node says of itself. */
export type Metrics = RaftMetrics<BasicNode>;
