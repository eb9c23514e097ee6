import { makePlan } from "../faults/plan.js";
import { minimize } from "../minimize.js";
import type { Plan } from "../faults/plan.js";
import type { RunOptions, SimulationResult } from "../simulation.js";
import { simulate } from "../simulation.js";
import { failureText, savePicture } from "./failure.js";
import type { OneOptions } from "./options.js";
import { describeViolation, optionsOf } from "./run-seed.js";
import type { SimIo } from "./sim-io.js";

/** Runs one seed. @param simulated what a plan is run with. @returns the exit code. */
export async function runOne(
  options: OneOptions,
  io: SimIo,
  simulated: (plan: Plan, looks: RunOptions) => Promise<SimulationResult> = (plan, looks) =>
    simulate(plan, {}, looks),
): Promise<number> {
  const { seed, size, out, trace } = options;
  const plan = makePlan(seed, size === null ? {} : { size });
  const tell = (line: string): void => io.out(`${line}\n`);
  const run = optionsOf(options);
  const result = await simulated(plan, trace ? { ...run, trace: tell } : run);
  io.out(`seed ${seed}: ${result.steps} steps, trace ${result.traceHash}\n`);
  if (result.violation === null) return 0;
  io.out(failureText(seed, describeViolation(result.violation), options, io.showsColour));
  io.out(await savePicture(seed, result.picture, out, io));
  if (options.minimize) {
    const least = await minimize(plan, result.violation, (candidate) => simulated(candidate, run));
    io.out(`\nIt takes no more than this:\n${JSON.stringify(least, null, 2)}\n\nWhat happens then:\n`);
    await simulated(least, { ...run, trace: tell });
  }
  return 1;
}
