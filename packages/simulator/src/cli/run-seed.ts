import { makePlan } from "../faults/plan.js";
import { Violation } from "../oracle/violation.js";
import type { RunOptions } from "../simulation.js";
import { simulate } from "../simulation.js";
import type { RunBounds } from "./options.js";

/** One run that is to be done. Data: it goes to other threads. */
export interface SeedTask extends RunBounds {
  readonly seed: number;
  /** Run it twice, and compare. */
  readonly twice: boolean;
}

/** What came of a run. Data. */
export interface SeedReport {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly violation: SeedViolation | null;
  /** A picture of the illegal part of a history, as SVG; null when there is none. */
  readonly picture: string | null;
  readonly coverage: readonly (readonly [what: string, count: number])[];
}

export interface SeedViolation {
  /** The property, or the error where it was none that is checked. */
  readonly property: string;
  readonly message: string;
}

/** Runs seeds, here or on another thread. */
export interface SeedRunner {
  run(task: SeedTask): Promise<SeedReport>;
  /** Gives up what it is at. */
  stop(): void;
}

/** Runs seeds on this thread. */
export const localRunner: SeedRunner = { run: runSeed, stop: () => {} };

export function optionsOf({ maxSteps }: RunBounds): RunOptions {
  return maxSteps === null ? {} : { maxSteps };
}

async function runSeed(task: SeedTask): Promise<SeedReport> {
  const { seed, size, twice } = task;
  const plan = makePlan(seed, size === null ? {} : { size });
  const first = await simulate(plan, {}, optionsOf(task));
  let violation = first.violation === null ? null : describeViolation(first.violation);
  if (twice) {
    const again = await simulate(plan, {}, optionsOf(task));
    if (again.traceHash !== first.traceHash || again.steps !== first.steps) {
      const runs = [first, again].map(({ steps, traceHash }) => `${steps} steps with trace ${traceHash}`);
      violation ??= { property: "determinism", message: `two runs differ: ${runs.join(", then ")}` };
    }
  }
  return {
    seed,
    steps: first.steps,
    virtualMs: first.virtualMs,
    violation,
    picture: first.picture,
    coverage: [...first.coverage],
  };
}

export function describeViolation(error: Error): SeedViolation {
  return { property: error instanceof Violation ? error.property : error.name, message: error.message };
}
