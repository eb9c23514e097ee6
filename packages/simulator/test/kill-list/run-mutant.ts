import type { Plan } from "../../src/faults/plan.js";
import { makePlan } from "../../src/faults/plan.js";
import { Violation } from "../../src/oracle/violation.js";
import { simulate } from "../../src/simulation.js";
import type { MutantPlan } from "./mutants.js";

/** Seeds to run one after another. */
interface Task {
  readonly from: number;
  readonly runs: number;
  /** What their plans are laid down to have. */
  readonly plan: MutantPlan;
}

/*
 * Runs seeds on the sources as they were loaded, those of each task until one fails as it is wanted to, and prints what came of each as a line of
 * JSON.
 *
 *   node --import plant.ts run-mutant.ts any|oracle TASKS, as JSON
 */

const [wanted = "any", tasks = "[]"] = process.argv.slice(2);

for (const { from, runs, plan } of JSON.parse(tasks) as readonly Task[]) {
  for (let seed = from; seed < from + runs; seed += 1) {
    const { violation, steps } = await simulate(planOf(seed, plan));
    const isOracle = violation instanceof Violation;
    const message = violation === null ? null : `${violation.name}: ${violation.message}`.slice(0, 300);
    process.stdout.write(
      `${JSON.stringify({ seed, steps, property: isOracle ? violation.property : null, message })}\n`,
    );
    if (violation !== null && (isOracle || wanted === "any")) break;
  }
}

function planOf(seed: number, { rounds = [], ...options }: MutantPlan): Plan {
  const plan = makePlan(seed, options);
  const length = (rounds.at(-1)?.[0] ?? 0) + 500;
  const starts = rounds.length === 0 ? 0 : Math.ceil(plan.faultyMs / length);
  const acts = Array.from({ length: starts }, (_, i) =>
    rounds.map(([at, act]) => ({ at: i * length + at, act })),
  );
  return { ...plan, actions: [...plan.actions, ...acts.flat()].sort((a, b) => a.at - b.at) };
}
