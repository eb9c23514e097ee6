import type { LogLevel, NodeId, RaftTypeConfig } from "@seshat/common";
import { Raft, recover } from "@seshat/raft";
import type { EngineStep, RaftConfig } from "@seshat/raft";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { ProtocolCoverage } from "../tally/protocol-coverage.js";
import { SimNetwork } from "../network/sim-network.js";
import type { WatchedTransport } from "../network/watched-transport.js";
import type { Oracle } from "../oracle/oracle.js";
import type { WatchedMachine } from "../oracle/watched-machine.js";
import { watchStateMachine } from "../oracle/watched-state-machine.js";
import { aliveOnly, watchStorage } from "../oracle/watched-storage.js";
import type { Trace } from "../trace.js";
import { Life } from "./life.js";
import type { CrashKind, NodeStore } from "./node-storage.js";
import type { SimNode } from "./sim-node.js";
import { makeNode } from "./sim-node.js";

/** What a simulated cluster is made of. */
export interface ClusterParts<C extends RaftTypeConfig> {
  readonly clock: VirtualClock;
  /** Decides everything that chance decides in the cluster. */
  readonly random: SeededRandom;
  readonly oracle: Oracle;
  readonly trace: Trace;
  readonly config: Partial<RaftConfig>;
  /** @param moves how often the node has moved: each time it is to be found elsewhere. */
  readonly describe: (id: NodeId, moves: number) => C["Node"];
  /** How messages become bytes. Default: they are carried as they are. */
  readonly transport?: WatchedTransport<C> | null;
  /** The state machine of one life of a node, watched. */
  makeMachine(id: NodeId, life: Life): WatchedMachine<C["D"], C["R"]>;
  makeStore(id: NodeId, random: SeededRandom): NodeStore<C>;
}

/** Simulated nodes with their stores and the network between them: production code, in which only the outside is simulated. */
export class Cluster<C extends RaftTypeConfig> {
  readonly network: SimNetwork<C>;
  readonly nodes: Map<NodeId, SimNode<C>> = new Map();
  /** What the engines came to. */
  readonly protocol: ProtocolCoverage = new ProtocolCoverage();
  /** Steps of all engines. */
  steps = 0;
  readonly #parts: ClusterParts<C>;
  /** Stores that are gone. Few, because each was replaced by hand. */
  readonly #discarded: NodeStore<C>[] = [];

  constructor(parts: ClusterParts<C>) {
    this.#parts = parts;
    this.network = new SimNetwork(parts.clock, parts.random.fork(), parts.oracle, parts.transport);
  }

  /** Virtual milliseconds. */
  get now(): number {
    return this.#parts.clock.now;
  }

  /** A node that was not there before, with an empty store. It does not run yet. */
  add(id: NodeId, rate = 1): SimNode<C> {
    const store = this.#parts.makeStore(id, this.#parts.random.fork());
    const node = makeNode(id, store, rate, this.#parts.describe(id, 0));
    this.nodes.set(id, node);
    this.network.place(id, node.address);
    return node;
  }

  node(id: NodeId): SimNode<C> {
    return this.nodes.get(id) as SimNode<C>;
  }

  /** How often which fault happened to a disk, those that are gone included. */
  diskCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const store of [...this.#discarded, ...[...this.nodes.values()].map((node) => node.store)]) {
      for (const [what, count] of store.faultCounts()) counts.set(what, (counts.get(what) ?? 0) + count);
    }
    return counts;
  }

  /** The nodes that run. */
  running(): SimNode<C>[] {
    return [...this.nodes.values()].filter(({ raft }) => raft !== null);
  }

  /** True when a node takes itself for the leader. */
  leads({ raft, role }: SimNode<C>): boolean {
    // To ask costs more than to look what it was after its last step: it may have stopped since.
    return role === "leader" && raft?.metrics().state === "leader";
  }

  /** The node that leads the latest term, as far as those that run know of themselves. */
  leader(): SimNode<C> | null {
    let leader: SimNode<C> | null = null;
    let latest = 0;
    for (const node of this.running()) {
      if (!this.leads(node)) continue;
      const { term } = (node.raft as Raft<C>).metrics();
      if (term > latest) {
        leader = node;
        latest = term;
      }
    }
    return leader;
  }

  /** Begins a life, if none was begun. @returns once it runs, or has failed to start. */
  start(id: NodeId): Promise<void> {
    const node = this.node(id);
    if (node.starting) return node.start;
    if (node.raft !== null || this.#parts.clock.now < node.downUntil) return Promise.resolve();
    node.starting = true;
    node.start = this.#start(node);
    return node.start;
  }

  async #start(node: SimNode<C>): Promise<void> {
    const { id } = node;
    const { clock, random, oracle, trace, config } = this.#parts;
    node.lives += 1;
    const life = new Life(clock, random.fork(), node.rate);
    node.life = life;
    let cover: ((step: EngineStep) => void) | null = null;
    const machine = this.#parts.makeMachine(id, life);
    try {
      const { storage, stateMachine } = await node.store.open(life.runtime, machine);
      const raft = await Raft.create<C>({
        id,
        storage: watchStorage(storage, aliveOnly(life, oracle.storageOf(id))),
        stateMachine: watchStateMachine(stateMachine, (lastLogId) => {
          if (life.alive) oracle.installed(id, lastLogId);
        }),
        network: this.network.from(id, life),
        config,
        runtime: life.runtime,
        checkInvariants: true,
        logger: { log: (level, event, fields) => this.#log(life, level, event, fields) },
        watcher: {
          started: (state) => {
            if (!life.alive) return;
            cover = this.protocol.started(state);
            oracle.started(state);
          },
          stepped: (step) => {
            if (!life.alive) return;
            this.steps += 1;
            node.role = step.state.role.type;
            node.latestTerm = Math.max(node.latestTerm, step.state.vote.term);
            trace.step(clock.now, step);
            cover?.(step);
            oracle.step(step);
          },
        },
      });
      if (!life.alive) return;
      node.raft = raft;
      node.machine = machine;
      node.stateMachine = stateMachine;
      node.stopCause = null;
      this.network.join(id, { raft, life });
      trace.note(clock.now, `node ${id} starts`);
    } catch (thrown) {
      if (!life.alive) return;
      node.stopCause = thrown as Error;
      node.hasStopped = true;
      trace.note(clock.now, `node ${id} does not start: ${String(thrown)}`);
      life.end();
    } finally {
      if (node.life === life) node.starting = false;
    }
  }

  /** True when this node alone, after a crash, would have all that was committed, and the latest term that anybody was in. */
  keepsAll(id: NodeId): boolean {
    const latest = Math.max(...[...this.nodes.values()].map(({ latestTerm }) => latestTerm));
    return this.#parts.oracle.keepsAll(id, latest);
  }

  /** Makes a node that does not run a cluster of its own, by hand. @returns false when its disk was in the way: it does not run until it works. */
  async recover(id: NodeId): Promise<boolean> {
    const node = this.node(id);
    const { clock, random, oracle, trace, config } = this.#parts;
    // Nobody starts it before it is a cluster of its own.
    node.starting = true;
    node.start = Promise.resolve();
    const life = new Life(clock, random.fork(), node.rate);
    try {
      const { storage, stateMachine } = await node.store.open(
        life.runtime,
        this.#parts.makeMachine(id, life),
      );
      const watched = watchStorage(storage, aliveOnly(life, oracle.storageOf(id)));
      const { after } = await recover<C>({
        id,
        nodes: [[id, node.address]],
        storage: {
          ...watched,
          append: (entries, completion) => {
            oracle.recovering(id, entries);
            return watched.append(entries, completion);
          },
        },
        stateMachine,
        config,
        runtime: life.runtime,
      });
      trace.note(clock.now, `node ${id} is recovered: ${JSON.stringify(after.logId)}`);
      node.starting = false;
      return true;
    } catch (thrown) {
      trace.note(clock.now, `node ${id} is not recovered: ${String(thrown)}`);
      return false;
    } finally {
      life.end();
      node.store.crash("machine");
    }
  }

  /** Ends a life at once, wherever it is. */
  crash(id: NodeId, what: CrashKind = "machine"): void {
    const node = this.node(id);
    node.life?.end();
    node.life = null;
    node.starting = false;
    this.network.leave(id);
    node.store.crash(what);
    node.raft = null;
    node.machine = null;
    node.stateMachine = null;
    this.#parts.trace.note(this.#parts.clock.now, `node ${id} crashes (${what})`);
  }

  /** The disk of a node is gone: what runs next under its id runs on an empty one. */
  wipe(id: NodeId): void {
    this.crash(id);
    const node = this.node(id);
    this.#discarded.push(node.store);
    node.store = this.#parts.makeStore(id, this.#parts.random.fork());
    node.stopCause = null;
    node.hasStopped = false;
    this.#parts.oracle.wiped(id);
    this.#parts.trace.note(this.#parts.clock.now, `node ${id} loses its disk`);
  }

  /** A node crashes, and is found elsewhere when it runs again. */
  move(id: NodeId): void {
    this.crash(id);
    const node = this.node(id);
    node.moves += 1;
    node.address = this.#parts.describe(id, node.moves);
    this.network.place(id, node.address);
    this.#parts.trace.note(this.#parts.clock.now, `node ${id} moves to ${JSON.stringify(node.address)}`);
  }

  /** Takes note of nodes that stopped by themselves, as after a failed sync, or did not start, and ends their lives. @returns them. */
  reap(): SimNode<C>[] {
    for (const node of this.running()) {
      const metrics = (node.raft as Raft<C>).metrics();
      if (metrics.state !== "stopped") continue;
      const cause = metrics.stopCause;
      this.crash(node.id, this.#parts.random.chance(0.5) ? "process" : "machine");
      node.stopCause = cause;
      node.hasStopped = true;
    }
    const stopped = [...this.nodes.values()].filter(({ hasStopped }) => hasStopped);
    for (const node of stopped) node.hasStopped = false;
    return stopped;
  }

  #log(life: Life, level: LogLevel, event: string, fields: object): void {
    if (!life.alive || level === "debug") return;
    this.#parts.trace.note(this.#parts.clock.now, `${event} ${JSON.stringify(fields)}`);
  }
}
