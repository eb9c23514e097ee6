import type { Outcome } from "./hunt.js";
import { hunt } from "./hunt.js";
import { MUTANTS } from "./mutants.js";

/*
 * Hunts the mutants from seed 1 on and prints a table of what caught them, with the checks of the nodes themselves on and off.
 *
 *   pnpm --filter @seshat/simulator kill-list [RUNS] [IDS]
 */

const [runs = "200", ids = ""] = process.argv.slice(2);
const wanted = ids === "" ? null : new Set(ids.split(",").map(Number));

process.stdout.write("| # | a node that | seed (steps), its own checks on | seed (steps), from outside |\n");
process.stdout.write("| --- | --- | --- | --- |\n");
for (const mutant of MUTANTS) {
  if (wanted !== null && !wanted.has(mutant.id)) continue;
  const { features = [], leases = false } = mutant.plan ?? {};
  const laidDown = leases ? [...features, "leases"] : features;
  const cells = [
    `${mutant.id}`,
    laidDown.length === 0 ? mutant.name : `${mutant.name} (runs with: ${laidDown.join(", ")})`,
  ];
  const inside = await hunt(mutant, { from: 1, runs: Number(runs), by: "product" });
  const last = inside.at(-1);
  // What nobody objected to runs the same with the checks off, and so does what the oracle objected to.
  const isAlike = last === undefined || last.message === null || last.property !== null;
  const outside = isAlike
    ? inside
    : await hunt(mutant, { from: last.seed, runs: Number(runs), by: "oracle" });
  cells.push(describe(inside), describe(outside));
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function describe(outcomes: readonly Outcome[]): string {
  const last = outcomes.at(-1);
  if (last?.message === null || last === undefined) return `not within ${runs} runs`;
  const [kind, rule] = last.message.split(": ");
  const what = last.property ?? (kind === "Error" ? `the node itself: ${rule}` : `the node itself: ${kind}`);
  return `${last.seed} (${last.steps}): ${what}`;
}
