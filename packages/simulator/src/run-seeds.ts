import type { RaftTypeConfig } from "@seshat/common";
import { checkInteger } from "@seshat/common";
import type { Plan } from "./faults/plan.js";
import { makePlan } from "./faults/plan.js";
import { simulate } from "./simulation.js";
import { SimulationError } from "./simulation-error.js";
import type { System } from "./system.js";

/** Which seeds to run. */
export interface SeedsOptions {
  /** How many, one after another. Default 20. */
  readonly seeds?: number;
  /** The first of them. Default 1. */
  readonly from?: number;
  /** For how long there are faults at most, in virtual milliseconds: a plan that has them for longer is cut there. Default: as the plan says, 2 to 12 seconds. */
  readonly faultyMs?: number;
}

/** What runs without a violation came to. */
export interface SeedsReport {
  readonly seeds: number;
  /** Steps of all engines. */
  readonly steps: number;
  readonly virtualMs: number;
  /** How often what happened. */
  readonly coverage: ReadonlyMap<string, number>;
}

/**
 * Simulates a system under the faults of many seeds, and stops at the first that fails.
 *
 * @throws {SimulationError} that says what did not hold, why as far as it can be found, and how to run the seed again.
 * @throws {InvalidValueError} that names the option.
 */
export async function runSeeds<C extends RaftTypeConfig, Input, Output>(
  system: System<C, Input, Output>,
  options: SeedsOptions = {},
): Promise<SeedsReport> {
  const seeds = checkInteger("options.seeds", options.seeds ?? 20, 1);
  const from = checkInteger("options.from", options.from ?? 1, 0);
  const faultyMs =
    options.faultyMs === undefined ? null : checkInteger("options.faultyMs", options.faultyMs, 1);
  const coverage = new Map<string, number>();
  let steps = 0;
  let virtualMs = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const plan = faultyMs === null ? makePlan(seed) : upTo(faultyMs, makePlan(seed));
    const result = await simulate(plan, system);
    if (result.violation !== null) {
      throw new SimulationError(plan, result, (other, trace) => simulate(other, system, { trace }));
    }
    steps += result.steps;
    virtualMs += result.virtualMs;
    for (const [what, times] of result.coverage) coverage.set(what, (coverage.get(what) ?? 0) + times);
  }
  return { seeds, steps, virtualMs, coverage };
}

function upTo(faultyMs: number, plan: Plan): Plan {
  if (plan.faultyMs <= faultyMs) return plan;
  return { ...plan, faultyMs, actions: plan.actions.filter(({ at }) => at < faultyMs) };
}
