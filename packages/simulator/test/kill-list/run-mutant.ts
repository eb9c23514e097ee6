import type { PlanOptions } from "../../src/faults/plan.js";
import { makePlan } from "../../src/faults/plan.js";
import { Violation } from "../../src/oracle/violation.js";
import { simulate } from "../../src/simulation.js";

/*
 * Runs seeds on the sources as they were loaded, until one fails as it is wanted to, and prints what came of each as a line of JSON.
 *
 *   node --import plant.ts run-mutant.ts FROM RUNS any|oracle OPTIONS, which are those of the plans, as JSON
 */

const [from = "1", runs = "1", wanted = "any", options = "{}"] = process.argv.slice(2);

for (let seed = Number(from); seed < Number(from) + Number(runs); seed += 1) {
  const plan = makePlan(seed, JSON.parse(options) as PlanOptions);
  const { violation, steps } = await simulate(plan);
  const isOracle = violation instanceof Violation;
  const message = violation === null ? null : `${violation.name}: ${violation.message}`.slice(0, 300);
  process.stdout.write(
    `${JSON.stringify({ seed, steps, property: isOracle ? violation.property : null, message })}\n`,
  );
  if (violation !== null && (isOracle || wanted === "any")) break;
}
