import type { Membership, NodeId } from "@seshat/common";
import { isVoter } from "@seshat/common";
import { DEFAULT_SWITCHES } from "../../src/engine/context.js";
import type { EngineConfig } from "../../src/engine/context.js";
import type { EngineSwitches, ReadPolicy } from "../../src/engine/event.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TEST_CONFIG, command, memberships } from "../engine-harness.js";
import { drawActions } from "./actions.js";
import type { Action } from "./actions.js";
import { firstStore } from "./host.js";
import { Network } from "./network.js";
import { Operator } from "./operator.js";
import { Oracle } from "./oracle.js";
import type { Counts } from "./oracle.js";
import { SimNode } from "./sim-node.js";
import type { Hosts, Sabotage, World } from "./world.js";

/** The share of reads from the log that return fewer entries than were asked for, where that happens at all. */
const SHORT_READS = 0.2;

/** With an election timeout of at least 150 ms: followers may wait for 10 ms less, by the leader's clock. */
const LEASE_MS = 140;

/** How much faster than the slowest clock the fastest may run, so that it gains no more than those 10 ms. */
const CLOCK_DRIFT = 150 / LEASE_MS - 1;

/** The fastest clock runs at three times the speed of the slowest: no lease can be served by that. */
const WILD_DRIFT = 2;

const MAX_NODES = 7;

/**
 * What a run is about. `chaos`: everything is late or lost, and few things get far. `depositions`: all is fast, but leaders are cut off
 * again and again. `churn`: all is fast, but who belongs to the cluster, and who leads it, changes all the time.
 */
export type Kind = "chaos" | "depositions" | "churn";

/** What happened in a run, so that a test can see that its runs were worth something. */
export interface Summary extends Readonly<Counts> {
  readonly terms: number;
  readonly committed: number;
  readonly crashes: number;
  readonly wipes: number;
  readonly stalls: number;
  readonly purges: number;
}

/**
 * A cluster of up to seven engines whose messages, disks, clocks, crashes and operator a seed decides. Which faults happen at
 * all, and how often, is drawn first (swarm testing): a run with everything switched on hides as much as it finds.
 */
export class Cluster implements World {
  readonly kind: Kind;
  readonly config: EngineConfig;
  readonly switches: EngineSwitches;
  readonly random: SeededRandom;
  readonly oracle = new Oracle();
  readonly network: Network;
  readonly hosts: Hosts;
  readonly sabotage: Sabotage | null;
  readonly operator: Operator;
  now = 1000;
  /** How often messages overtake each other. */
  readonly reordering: number;
  readonly #clockRates: readonly number[];
  readonly #nodes: readonly SimNode[];
  readonly #founding: Membership;
  readonly #actions: readonly Action[];
  readonly #stepsInOne: number;
  readonly #log: ((line: string) => void) | null;
  #writes = 0;
  #crashes = 0;

  /** @param log told of every action, in words. */
  constructor(seed: number, log: ((line: string) => void) | null = null, sabotage: Sabotage | null = null) {
    this.sabotage = sabotage;
    const random = new SeededRandom(seed);
    this.random = random;
    this.#log = log;
    this.network = new Network(random);
    this.kind = random.chance(0.2) ? "depositions" : random.chance(0.4) ? "churn" : "chaos";
    const depositions = this.kind === "depositions";
    this.config = drawConfig(random, depositions);
    this.switches = drawSwitches(random);
    this.hosts = drawHosts(random);
    this.reordering = this.kind === "chaos" && random.chance(0.5) ? random.next() * 0.5 : 0;
    const drift = sabotage === "hasDriftingClocks" ? WILD_DRIFT : CLOCK_DRIFT;
    this.#clockRates = Array.from({ length: MAX_NODES }, () => (random.chance(0.5) ? 1 : 1 + drift));
    const founded = random.chance(0.2) ? 1 : random.integer(1, 5);
    const founders = Array.from({ length: depositions ? 3 : founded }, (_, i) => i + 1);
    const size = random.integer(Math.max(3, founders.length), depositions ? 5 : MAX_NODES);
    this.#founding = memberships(
      depositions ? [founders] : someConfigs(random, founders),
      founders.length,
      // Whoever founds a cluster alone knows the only store; several may have told each other.
      this.hosts.tellStoresApart && (founders.length === 1 || random.chance(0.6))
        ? { incarnations: founders.map((id) => [id, firstStore(id)]) }
        : {},
    );
    this.#nodes = Array.from({ length: size }, (_, i) => new SimNode(i + 1, this));
    this.operator = new Operator(this);
    for (const node of this.#nodes) {
      node.start();
      if (random.chance(0.9)) this.initialize(node);
    }
    this.#stepsInOne = this.kind === "chaos" ? 1 : 3;
    this.#actions = drawActions(this);
  }

  /** Each clock starts somewhere else, and is a slow or a fast one. */
  clockOf(id: NodeId): number {
    return 1000 * id + this.now * (this.#clockRates[id - 1] as number);
  }

  nodes(): readonly SimNode[] {
    return this.#nodes;
  }

  get summary(): Summary {
    return {
      ...this.oracle.counts,
      terms: this.oracle.terms,
      committed: this.oracle.committedIndex,
      crashes: this.#crashes,
      wipes: this.operator.wipes,
      stalls: this.operator.stalls,
      purges: this.#nodes.filter(({ disk }) => disk.log.purged.index > 0).length,
    };
  }

  /** Lets `steps` things happen, whatever comes; fewer where much happens in each. */
  run(steps: number): void {
    const total = this.#actions.reduce((sum, [, weight]) => sum + weight, 0);
    for (let i = 0; i < steps; i += this.#stepsInOne) {
      let draw = this.random.next() * total;
      const action = this.#actions.find(([, weight]) => (draw -= weight) < 0) ?? this.#actions[0];
      this.#log?.(`${i} at ${this.now}: ${action?.[0]}`);
      action?.[2]();
    }
  }

  /** Tells what happens, where somebody listens. */
  tell(line: () => string): void {
    this.#log?.(`  ${line()}`);
  }

  /** Hands over one message: the oldest, or with this probability any. */
  deliver(reordering: number = this.reordering): void {
    const message = this.network.take(reordering);
    if (message === undefined) return;
    this.tell(() => JSON.stringify(message));
    this.#nodes[message.to - 1]?.receive(message);
  }

  /** Everything that is on its way arrives, in order; disks and state machines keep up; and then `ms` milliseconds pass. */
  calmRound(ms: number): void {
    for (let left = this.network.size; left > 0; left--) this.deliver(0);
    for (const node of this.#nodes) {
      node.persist(Number.POSITIVE_INFINITY);
      node.apply(Number.POSITIVE_INFINITY);
      node.buildSnapshot();
      node.install();
    }
    this.tick(ms);
  }

  /** Lets `ms` milliseconds pass. */
  tick(ms: number): void {
    this.now += ms;
    for (const node of this.#nodes) node.tick();
  }

  some<T>(items: readonly T[]): T {
    return items[this.random.integer(0, items.length - 1)] as T;
  }

  someNode(): SimNode {
    return this.some(this.#nodes);
  }

  somePolicy(): ReadPolicy {
    return this.random.chance(0.6) ? "lease" : "readIndex";
  }

  /** All that believe to lead. */
  leaders(): SimNode[] {
    return this.#nodes.filter(({ state }) => state?.role.type === "leader");
  }

  newestLeader(): SimNode | undefined {
    return this.leaders().toSorted((a, b) => (b.state?.vote.term ?? 0) - (a.state?.vote.term ?? 0))[0];
  }

  someLeader(): SimNode | undefined {
    const leaders = this.leaders();
    return leaders[this.random.integer(0, Math.max(0, leaders.length - 1))];
  }

  /** Founds the cluster on a node that may do so; one that has been founded refuses. */
  initialize(node: SimNode): void {
    // Who founds it late knows nobody's store, and would take an erased founder for the one that it was.
    if (isVoter(this.#founding, node.id) && this.operator.wipes === 0) node.initialize(this.#founding);
  }

  writeSome(node: SimNode): void {
    const count = this.random.integer(1, 3);
    node.write(Array.from({ length: count }, () => command(`w${++this.#writes}`)));
  }

  crash(node: SimNode): void {
    if (!node.up) return;
    this.#crashes += 1;
    node.crash();
  }

  restart(node: SimNode): void {
    if (!node.up) node.start();
  }
}

function drawConfig(random: SeededRandom, depositions: boolean): EngineConfig {
  return {
    ...TEST_CONFIG,
    leaseMs: depositions || random.chance(0.4) ? LEASE_MS : null,
    maxPayloadEntries: random.integer(1, 4),
    maxInFlightAppends: random.integer(1, 4),
    maxUncommittedEntries: random.chance(0.3) ? random.integer(2, 12) : 1000,
    logsToKeep: random.chance(0.3) ? 1000 : random.integer(0, 10),
    logsToKeepForFollowers: random.integer(0, 20),
    lagThreshold: random.integer(0, 20),
  };
}

function drawSwitches(random: SeededRandom): EngineSwitches {
  return {
    ...DEFAULT_SWITCHES,
    preVote: random.chance(0.6),
    snapshotAfterEntries: random.chance(0.4) ? random.integer(2, 10) : null,
    snapshotAfterBytes: random.chance(0.2) ? random.integer(5, 50) : null,
  };
}

function drawHosts(random: SeededRandom): Hosts {
  return {
    shortReads: random.chance(0.3) ? SHORT_READS : 0,
    keepMachines: random.chance(0.5),
    snapshotParts: random.integer(1, 3),
    damagedSnapshots: random.chance(0.2) ? 0.2 : 0,
    tellStoresApart: random.chance(0.7),
  };
}

/** All nodes as voters, or some, or two sets of them: the others are learners. */
function someConfigs(random: SeededRandom, ids: readonly NodeId[]): NodeId[][] {
  if (random.chance(0.7)) return [[...ids]];
  const first = ids.slice(0, random.integer(1, ids.length));
  return random.chance(0.5) ? [first] : [first, ids.slice(random.integer(0, ids.length - 1))];
}
