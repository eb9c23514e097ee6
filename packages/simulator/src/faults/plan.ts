import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { Action } from "./act.js";
import type { Feature } from "./features.js";
import { FEATURES, LATER_FEATURES, LATEST_FEATURES } from "./features.js";
import { Planner } from "./planner.js";

/** Everything that a run is decided by, beside the code. Data: it can be printed, cut down and run again. */
export interface Plan {
  readonly seed: number;
  /** The founders. */
  readonly voters: readonly NodeId[];
  /** Another founding at the same time, of which one may succeed. Default: none. */
  readonly rival?: RivalFounding | undefined;
  /** Nodes that may join later. */
  readonly spares: readonly NodeId[];
  readonly leases: boolean;
  /** How fast the clocks of the nodes run, by position in founders and spares. */
  readonly clockRates: readonly number[];
  readonly clients: number;
  readonly keys: number;
  /** How many bytes a large value has, of which one write in eight has one; 0 for none. Default 0. */
  readonly largeBytes?: number;
  /** How long faults go on. */
  readonly faultyMs: number;
  /** What is healed then: everything, or only a random majority that has to do without the rest for good. */
  readonly healing: "all" | "core";
  /** What a part of a snapshot holds on its way: many parts, or all in one message, which may arrive twice. */
  readonly snapshotChunkBytes: number;
  /** How long the followers that a quorum does not need wait for entries, in virtual milliseconds. Default 0: not at all. */
  readonly thriftyDelayMs?: number;
  /** In order of time. */
  readonly actions: readonly Action[];
}

/** A second operator founds a cluster too, with some of the same nodes. */
export interface RivalFounding {
  /** The node that is told to, one of `voters`. */
  readonly by: NodeId;
  readonly voters: readonly NodeId[];
  /** How much later than the first, in virtual milliseconds. */
  readonly afterMs: number;
  /** How long messages take on the way meanwhile, on average. */
  readonly latencyMs: number;
}

/** What can be laid down about the plan of a seed. */
export interface PlanOptions {
  /** How many founders, from 1 to 7. Default: drawn. */
  readonly size?: number;
  /** Which kinds of trouble there are. Default: drawn. */
  readonly features?: readonly Feature[];
  /** Whether reads may be served by a lease. Default: drawn; never with leaping clocks. */
  readonly leases?: boolean;
}

/** The most founders that a run has. */
export const MAX_SIZE = 7;

/**
 * Makes the plan of a seed: which features the run has at all, and then what happens when.
 *
 * @throws {InvalidValueError} when the seed is no integer from 0 on, `options.size` none from 1 to 7, or one of `options.features` no
 *   feature.
 */
export function makePlan(seed: number, options: PlanOptions = {}): Plan {
  const { size = 1 } = options;
  if (!(Number.isInteger(size) && size >= 1 && size <= MAX_SIZE))
    throw new InvalidValueError("options.size", size, `an integer from 1 to ${MAX_SIZE}`);
  const known: readonly Feature[] = [...FEATURES, ...LATER_FEATURES, ...LATEST_FEATURES];
  for (const feature of options.features ?? []) {
    if (!known.includes(feature))
      throw new InvalidValueError("options.features", feature, `one of ${known.join(", ")}`);
  }
  return new Planner(seed, options).plan();
}
