import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { Action } from "./act.js";
import { Planner } from "./planner.js";

/** Everything that a run is decided by, beside the code. Data: it can be printed, cut down and run again. */
export interface Plan {
  readonly seed: number;
  /** The founders. */
  readonly voters: readonly NodeId[];
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
  /** In order of time. */
  readonly actions: readonly Action[];
}

/** What can be laid down about the plan of a seed. */
export interface PlanOptions {
  /** How many founders, from 1 to 7. Default: drawn. */
  readonly size?: number;
}

/** The most founders that a run has. */
export const MAX_SIZE = 7;

/**
 * Makes the plan of a seed: which features the run has at all, and then what happens when.
 *
 * @throws {InvalidValueError} when the seed is no integer from 0 on, or `options.size` none from 1 to 7.
 */
export function makePlan(seed: number, options: PlanOptions = {}): Plan {
  const { size = 1 } = options;
  if (!(Number.isInteger(size) && size >= 1 && size <= MAX_SIZE))
    throw new InvalidValueError("options.size", size, `an integer from 1 to ${MAX_SIZE}`);
  return new Planner(seed, options).plan();
}
