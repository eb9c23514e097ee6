import type { RaftTypeConfig } from "@seshat/common";
import type { Cluster } from "../world/cluster.js";
import type { SimNode } from "../world/sim-node.js";
import type { DiskTrouble } from "../world/node-storage.js";
import type { Target } from "./act.js";

/** Where faults happen: a cluster, its clock, and what is counted. */
export class Scene<C extends RaftTypeConfig> {
  readonly cluster: Cluster<C>;
  /** How often what happened. */
  readonly counts: Map<string, number> = new Map();
  /** True once everything is healed: nothing goes wrong any more, also not what was begun before. */
  healed = false;
  readonly #setTimer: (delayMs: number, callback: () => void) => void;

  constructor(cluster: Cluster<C>, setTimer: (delayMs: number, callback: () => void) => void) {
    this.cluster = cluster;
    this.#setTimer = setTimer;
  }

  /** Does something later, unless everything is healed by then. */
  later(ms: number, act: () => void): void {
    this.#setTimer(ms, () => {
      if (!this.healed) act();
    });
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** @returns false when there is no such node. */
  with(target: Target, use: (node: SimNode<C>) => void): boolean {
    if (target !== "leader") return pickOf(this.cluster.running(), target, use);
    const leader = this.cluster.leader();
    if (leader !== null) use(leader);
    return leader !== null;
  }

  /** @returns false when there is no such node, or its store is on no simulated disk. */
  withTrouble(target: Target, use: (node: SimNode<C>, trouble: DiskTrouble) => void): boolean {
    let isPossible = false;
    this.with(target, (node) => {
      const { trouble } = node.store;
      isPossible = trouble !== undefined;
      if (trouble !== undefined) use(node, trouble);
    });
    return isPossible;
  }
}

/** Uses one of some, by a number from 0 to 1. @returns false when there is none. */
export function pickOf<T>(items: readonly T[], at: number, use: (item: T) => void): boolean {
  const item = items[Math.floor(at * items.length)];
  if (item === undefined) return false;
  use(item);
  return true;
}
