import type { NodeId } from "@seshat/common";
import type { EngineConfig } from "../../src/engine/context.js";
import { DEFAULT_SWITCHES } from "../../src/engine/context.js";
import type { EngineSwitches } from "../../src/engine/event.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TEST_CONFIG, command, voters } from "../engine-harness.js";
import type { Message, Wire } from "./network.js";
import { Oracle } from "./oracle.js";
import { SimNode } from "./sim-node.js";
import { PERFECT_HOSTS } from "./world.js";
import type { World } from "./world.js";

/** How long a message takes: at least this, and up to as much again. */
const LATENCY_MS = 0.5;

/** More than this in one instant, and somebody goes round in circles. */
const MAX_EVENTS_AT_ONCE = 1000;

/** What a cluster is run with. */
export interface TimedOptions {
  readonly nodes: number;
  readonly seed?: number;
  readonly config?: Partial<EngineConfig>;
  readonly switches?: Partial<EngineSwitches>;
}

/**
 * A cluster in which nothing is late: messages take a moment, disks none, and time goes from one event to the next. What it
 * shows depends on the timers and on which links are cut. Every promise is checked as in the random clusters.
 */
export class TimedCluster implements World, Wire {
  readonly config: EngineConfig;
  readonly switches: EngineSwitches;
  readonly random: SeededRandom;
  readonly oracle = new Oracle();
  readonly network: Wire = this;
  readonly hosts = PERFECT_HOSTS;
  readonly sabotage = null;
  now = 0;
  readonly #nodes: readonly SimNode[];
  /** Messages on their way, by when they arrive. */
  readonly #wire: { readonly at: number; readonly message: Message }[] = [];
  readonly #cut = new Set<string>();

  constructor({ nodes, seed = 1, config = {}, switches = {} }: TimedOptions) {
    this.random = new SeededRandom(seed);
    this.config = { ...TEST_CONFIG, ...config };
    this.switches = { ...DEFAULT_SWITCHES, ...switches };
    const ids = Array.from({ length: nodes }, (_, i) => i + 1);
    const membership = voters(...ids);
    this.#nodes = ids.map((id) => new SimNode(id, this));
    for (const node of this.#nodes) {
      node.start();
      node.initialize(membership);
      settle(node);
    }
  }

  nodes(): readonly SimNode[] {
    return this.#nodes;
  }

  node(id: NodeId): SimNode {
    return this.#nodes[id - 1] as SimNode;
  }

  clockOf(): number {
    return this.now;
  }

  /** All that believe to lead. */
  leaders(): SimNode[] {
    return this.#nodes.filter(({ state }) => state?.role.type === "leader");
  }

  send(message: Message): void {
    const at = this.now + LATENCY_MS * (1 + this.random.next());
    const position = this.#wire.findIndex((other) => other.at > at);
    this.#wire.splice(position < 0 ? this.#wire.length : position, 0, { at, message });
  }

  /** Cuts the link from one node to another, one way. */
  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}-${to}`);
  }

  /** Leaves only the links between these pairs, both ways. */
  leaveOnly(pairs: readonly (readonly [NodeId, NodeId])[]): void {
    for (const { id: from } of this.#nodes) {
      for (const { id: to } of this.#nodes) {
        if (!pairs.some(([a, b]) => (a === from && b === to) || (a === to && b === from))) this.cut(from, to);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Lets `ms` milliseconds pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Lets time pass until something holds, at most `ms` milliseconds. @returns whether it does. */
  runUntil(holds: () => boolean, ms: number): boolean {
    const end = this.now + ms;
    let atOnce = 0;
    while (!holds()) {
      const deadline = Math.min(...this.#nodes.map((node) => node.deadline));
      const next = Math.min(deadline, this.#wire[0]?.at ?? Number.POSITIVE_INFINITY);
      if (next > end) {
        this.now = end;
        return false;
      }
      atOnce = next > this.now ? 0 : atOnce + 1;
      if (atOnce > MAX_EVENTS_AT_ONCE) throw new Error(`time stands still at ${this.now} ms`);
      this.now = Math.max(this.now, next);
      if (next === deadline) this.#tick();
      else this.#deliver();
    }
    return true;
  }

  /** Writes through a node and settles what its own disk has to do with it. */
  write(node: SimNode, data: string): void {
    node.write([command(data)]);
    settle(node);
  }

  #tick(): void {
    for (const node of this.#nodes) {
      if (node.deadline > this.now) continue;
      node.tick();
      settle(node);
    }
  }

  #deliver(): void {
    const message = this.#wire.shift()?.message;
    if (message === undefined || this.#cut.has(`${message.from}-${message.to}`)) return;
    const node = this.node(message.to);
    node.receive(message);
    settle(node);
  }
}

/** Disk and state machine keep up. */
function settle(node: SimNode): void {
  while (!node.idle) {
    node.persist(Number.POSITIVE_INFINITY);
    node.apply(Number.POSITIVE_INFINITY);
    node.buildSnapshot();
    node.install();
  }
}
