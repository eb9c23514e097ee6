import type { Membership, NodeId } from "@seshat/common";
import { isVoter } from "@seshat/common";
import type { EngineConfig } from "../../src/engine/context.js";
import type { ReadPolicy } from "../../src/engine/event.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TEST_CONFIG, command, memberships } from "../engine-harness.js";
import { Network } from "./network.js";
import { Oracle } from "./oracle.js";
import { calmRound } from "./recovery.js";
import { SimNode } from "./sim-node.js";
import type { Sabotage, World } from "./life.js";

/** The share of reads from the log that return fewer entries than were asked for, where that happens at all. */
const SHORT_READS = 0.2;

/** With an election timeout of at least 150 ms: followers may wait for 10 ms less, by the leader's clock. */
const LEASE_MS = 140;

/** How much faster than the slowest clock the fastest may run, so that it gains no more than those 10 ms. */
const CLOCK_DRIFT = 150 / LEASE_MS - 1;

/** The fastest clock runs at three times the speed of the slowest: no lease can be served by that. */
const WILD_DRIFT = 2;

/** What happened in a run, so that a test can see that its runs were worth something. */
export interface Summary {
  readonly terms: number;
  readonly committed: number;
  readonly readsServed: number;
  readonly followerReads: number;
  readonly leaseReads: number;
  readonly quorumsLost: number;
  readonly crashes: number;
  readonly membershipChanges: number;
  readonly purges: number;
}

type Action = readonly [name: string, weight: number, run: () => void];

/**
 * A cluster of three to five engines whose messages, disks, clocks and crashes a seed decides. Which faults happen at
 * all, and how often, is drawn first (swarm testing): a run with everything switched on hides as much as it finds.
 */
export class Cluster implements World {
  readonly config: EngineConfig;
  readonly random: SeededRandom;
  readonly oracle = new Oracle();
  readonly network: Network;
  readonly shortReads: number;
  readonly sabotage: Sabotage | null;
  now = 1000;
  readonly #clockRates: readonly number[];
  readonly #nodes: readonly SimNode[];
  readonly #founding: Membership;
  readonly #actions: readonly Action[];
  readonly #stepsInOne: number;
  readonly #log: ((line: string) => void) | null;
  #writes = 0;
  #crashes = 0;
  #membershipChanges = 0;

  /** @param log told of every action, in words. */
  constructor(seed: number, log: ((line: string) => void) | null = null, sabotage: Sabotage | null = null) {
    this.sabotage = sabotage;
    const random = new SeededRandom(seed);
    this.random = random;
    this.#log = log;
    this.network = new Network(random);
    const depositions = random.chance(0.25);
    this.config = {
      ...TEST_CONFIG,
      preVote: random.chance(0.6),
      leaseMs: depositions || random.chance(0.4) ? LEASE_MS : null,
      maxPayloadEntries: random.integer(1, 4),
      maxInFlightAppends: random.integer(1, 4),
      maxUncommittedEntries: random.chance(0.3) ? random.integer(2, 12) : 1000,
      snapshotAfterEntries: random.chance(0.4) ? random.integer(2, 10) : null,
      logsToKeep: 1_000_000,
    };
    this.shortReads = random.chance(0.3) ? SHORT_READS : 0;
    const drift = sabotage === "hasDriftingClocks" ? WILD_DRIFT : CLOCK_DRIFT;
    this.#clockRates = Array.from({ length: 5 }, () => (random.chance(0.5) ? 1 : 1 + drift));
    const size = depositions && random.chance(0.7) ? 3 : random.integer(3, 5);
    const ids = Array.from({ length: size }, (_, i) => i + 1);
    this.#founding = memberships(depositions ? [ids] : someConfigs(random, ids), size);
    this.#nodes = ids.map((id) => new SimNode(id, this));
    for (const node of this.#nodes) {
      node.start();
      if (random.chance(0.9)) this.initialize(node);
    }
    this.#stepsInOne = depositions ? 3 : 1;
    this.#actions = depositions ? this.#drawDepositions() : this.#drawActions();
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
      terms: this.oracle.terms,
      committed: this.oracle.committedIndex,
      readsServed: this.oracle.readsServed,
      followerReads: this.oracle.followerReads,
      leaseReads: this.oracle.leaseReads,
      quorumsLost: this.oracle.quorumsLost,
      crashes: this.#crashes,
      membershipChanges: this.#membershipChanges,
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

  #drawActions(): Action[] {
    const { random, network } = this;
    const sometimes = (weight: number): number => (random.chance(0.6) ? weight * random.next() : 0);
    const reordering = random.chance(0.5) ? random.next() * 0.5 : 0;
    const longestTick = random.integer(5, 80);
    const slowDisks = random.chance(0.5);
    const some = <T>(items: readonly T[]): T => items[random.integer(0, items.length - 1)] as T;
    const node = (): SimNode => some(this.#nodes);
    const chunk = (): number => (slowDisks ? random.integer(1, 3) : Number.POSITIVE_INFINITY);
    return [
      ["deliver", random.integer(20, 60), () => this.deliver(reordering)],
      ["persist", slowDisks ? 20 : 40, () => node().persist(chunk())],
      ["apply", 8, () => node().apply(random.integer(1, 6))],
      ["tick", random.integer(3, 12), () => this.#tick(longestTick)],
      ["write", 6, () => this.writeSome(this.#someLeader() ?? node())],
      ["read", sometimes(12), () => (this.#someLeader() ?? node()).read(this.#somePolicy())],
      ["read anywhere", sometimes(6), () => node().read(this.#somePolicy())],
      ["drop", sometimes(10), () => network.drop()],
      ["duplicate", sometimes(10), () => network.duplicate()],
      ["crash", sometimes(3), () => this.#crash(node())],
      ["restart", 4, () => this.#restart(node())],
      ["crash of all", sometimes(0.3), () => this.#nodes.forEach((each) => this.#crash(each))],
      ["elect", sometimes(5), () => node().step({ type: "elect" })],
      ["cut", sometimes(1.5), () => this.#partition()],
      ["heal", 0.2 + random.next(), () => network.heal()],
      ["snapshot", sometimes(2), () => node().takeSnapshot()],
      ["build", 3, () => node().buildSnapshot()],
      ["purge", sometimes(4), () => node().step({ type: "purgeLog", upto: this.#purgeable() })],
      ["change members", sometimes(30), () => this.#changeMembership()],
    ];
  }

  /**
   * A fast network and fast disks, but leaders that are cut off from everybody again and again: what one that is deposed without
   * knowing may still serve is decided within milliseconds.
   */
  #drawDepositions(): Action[] {
    const node = (): SimNode => this.#nodes[this.random.integer(0, this.#nodes.length - 1)] as SimNode;
    return [
      ["pass", 10, () => this.#pass()],
      ["write", 2, () => this.writeSome(this.#newestLeader() ?? node())],
      ["read", 6, () => this.#leaders().forEach((each) => each.read(this.#somePolicy()))],
      ["read anywhere", 1, () => node().read(this.#somePolicy())],
      ["depose", 0.3, () => this.#depose()],
      ["coup", this.random.chance(0.5) ? 0.3 : 0, () => this.#coup()],
      ["heal", 0.1, () => this.network.heal()],
      ["crash", this.random.chance(0.5) ? 0.3 : 0, () => this.#crash(node())],
      ["restart", 0.5, () => this.#restart(node())],
    ];
  }

  /** Hands over one message: the oldest, or with this probability any. */
  deliver(reordering: number): void {
    const message = this.network.take(reordering);
    if (message === undefined) return;
    this.#log?.(`  ${JSON.stringify(message)}`);
    this.#nodes[message.to - 1]?.receive(message);
  }

  #tick(longest: number): void {
    this.now += this.random.integer(1, longest);
    for (const node of this.#nodes) node.tick();
  }

  /** Founds the cluster on a node that may do so; one that has been founded refuses. */
  initialize(node: SimNode): void {
    if (isVoter(this.#founding, node.id)) node.initialize(this.#founding);
  }

  writeSome(node: SimNode): void {
    const count = this.random.integer(1, 3);
    node.write(Array.from({ length: count }, () => command(`w${++this.#writes}`)));
  }

  #crash(node: SimNode): void {
    if (!node.up) return;
    this.#crashes += 1;
    node.crash();
  }

  #restart(node: SimNode): void {
    if (!node.up) node.start();
  }

  /** Cuts some node off, often the leader, from all others or from some, both ways or one way. */
  #partition(): void {
    const leader = this.random.chance(0.5) ? this.#someLeader()?.id : undefined;
    const alone = leader ?? this.random.integer(1, this.#nodes.length);
    const whole = this.random.chance(0.5);
    const oneWay = this.random.chance(0.3);
    for (const { id } of this.#nodes) {
      if (id === alone || (!whole && this.random.chance(0.3))) continue;
      this.network.cut(alone, id);
      if (!oneWay) this.network.cut(id, alone);
    }
  }

  #somePolicy(): ReadPolicy {
    return this.random.chance(0.6) ? "lease" : "readIndex";
  }

  /** An election is a handful of messages one after another: most of them in no time. */
  #pass(): void {
    calmRound(this, 0);
    calmRound(this, 0);
    calmRound(this, this.random.integer(1, 6));
  }

  /** Cuts the newest leader off from everybody, and nobody else any more. */
  #depose(): void {
    const leader = this.#newestLeader();
    this.network.heal();
    if (leader === undefined) return;
    for (const { id } of this.#nodes) {
      this.network.cut(leader.id, id);
      this.network.cut(id, leader.id);
    }
  }

  /** Cuts the newest leader off and has another stand at once, perhaps after all others have forgotten in a crash what they promised. */
  #coup(): void {
    this.#depose();
    const leader = this.#newestLeader();
    const others = this.#nodes.filter((each) => each !== leader);
    if (this.random.chance(0.5)) {
      for (const other of others) {
        this.#crash(other);
        other.start();
      }
    }
    others[this.random.integer(0, others.length - 1)]?.step({ type: "elect" });
  }

  /** All that believe to lead. */
  #leaders(): SimNode[] {
    return this.#nodes.filter(({ state }) => state?.role.type === "leader");
  }

  #newestLeader(): SimNode | undefined {
    return this.#leaders().toSorted((a, b) => (b.state?.vote.term ?? 0) - (a.state?.vote.term ?? 0))[0];
  }

  #someLeader(): SimNode | undefined {
    const leaders = this.#leaders();
    return leaders[this.random.integer(0, Math.max(0, leaders.length - 1))];
  }

  /** How far the logs may be purged without a follower ever asking for what is gone: what all disks hold as committed. */
  #purgeable(): number {
    const { committedIndex } = this.oracle;
    return Math.min(committedIndex, ...this.#nodes.map(({ disk }) => this.oracle.sharedWith(disk.log)));
  }

  /** One change at a time, each through a joint membership, by a leader that stays a voter and has committed in its own term. */
  #changeMembership(): void {
    const leader = this.#someLeader();
    const state = leader?.state;
    if (leader === undefined || state?.role.type !== "leader") return;
    if (state.committed.index < state.role.firstIndex || state.memberships.length > 1) return;
    const { configs } = leader.membership();
    const next = configs.length > 1 ? configs.slice(1) : [...configs, this.#someVoters(leader.id)];
    if (!(next.at(-1) as readonly NodeId[]).includes(leader.id)) return;
    this.#membershipChanges += 1;
    leader.write([{ type: "membership", membership: memberships(next, this.#nodes.length) }]);
  }

  #someVoters(leader: NodeId): NodeId[] {
    return this.#nodes.map(({ id }) => id).filter((id) => id === leader || this.random.chance(0.6));
  }
}

/** All nodes as voters, or some, or two sets of them: the others are learners. */
function someConfigs(random: SeededRandom, ids: readonly NodeId[]): NodeId[][] {
  if (random.chance(0.5)) return [[...ids]];
  const first = ids.slice(0, random.integer(1, ids.length));
  return random.chance(0.5) ? [first] : [first, ids.slice(random.integer(0, ids.length - 1))];
}
