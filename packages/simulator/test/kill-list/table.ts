import type { Catch, Outcome } from "./hunt.js";
import { falseCatches, hunt } from "./hunt.js";
import { MUTANTS } from "./mutants.js";

/*
 * Hunts the mutants from seed 1 on and prints a table of what caught them, with the checks of the nodes themselves on and off. Then runs what caught
 * them without them: what fails then as well, which it also prints, was no catch.
 *
 *   pnpm --filter @seshat/simulator kill-list [RUNS] [IDS]
 */

const [runs = "200", ids = ""] = process.argv.slice(2);
const caughtBy: { readonly product: Catch[]; readonly oracle: Catch[] } = { product: [], oracle: [] };
const wanted = ids === "" ? null : new Set(ids.split(",").map(Number));

process.stdout.write("| # | a node that | seed (steps), its own checks on | seed (steps), from outside |\n");
process.stdout.write("| --- | --- | --- | --- |\n");
for (const mutant of MUTANTS) {
  if (wanted !== null && !wanted.has(mutant.id)) continue;
  const { features = [], leases = false, rounds = [] } = mutant.plan ?? {};
  const laidDown = [
    ...features,
    ...(leases ? ["leases"] : []),
    ...new Set(rounds.map(([, { type }]) => type).filter((type) => type !== "load")),
  ];
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
  for (const [by, outcomes] of [["product", inside] as const, ["oracle", outside] as const]) {
    const { seed, message } = outcomes.at(-1) ?? { seed: 0, message: null };
    if (message !== null) caughtBy[by].push({ seed, plan: mutant.plan ?? {} });
  }
  cells.push(describe(inside), describe(outside));
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

for (const by of ["product", "oracle"] as const) {
  for (const outcome of await falseCatches(caughtBy[by], by)) {
    process.stdout.write(
      `NO CATCH: seed ${outcome.seed} fails without the mutant, too: ${outcome.message}\n`,
    );
    process.exitCode = 1;
  }
}

function describe(outcomes: readonly Outcome[]): string {
  const last = outcomes.at(-1);
  if (last?.message === null || last === undefined) return `not within ${runs} runs`;
  const [kind, rule] = last.message.split(": ");
  const what = last.property ?? (kind === "Error" ? `the node itself: ${rule}` : `the node itself: ${kind}`);
  return `${last.seed} (${last.steps}): ${what}`;
}
