import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Edit, Mutant, MutantPlan } from "./mutants.js";

const PLANT = fileURLToPath(new URL("./plant.ts", import.meta.url));
const RUN_MUTANT = fileURLToPath(new URL("./run-mutant.ts", import.meta.url));

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  /** What did not hold, if the oracle found it. */
  readonly property: string | null;
  /** Why the run failed, whoever found it; null when it did not. */
  readonly message: string | null;
}

/** How a mutant is hunted. */
export interface HuntOptions {
  readonly from: number;
  /** How many seeds are run at most. */
  readonly runs: number;
  /** `product`: the checks that the nodes make themselves count, too. `oracle`: they are off, and only what the simulator sees from outside counts. */
  readonly by: "product" | "oracle";
}

/** Nodes that do not check their own invariants: then the oracle has to find it. */
export const CHECKS_OFF: Edit = {
  file: "simulator/src/world/cluster.ts",
  replace: "checkInvariants: true,",
  by: "checkInvariants: false,",
};

/** Runs a mutant in a process of its own, seed after seed until it is caught. @returns what came of each; the last one caught it, if any did. */
export function hunt(
  { edits, plan = {} }: Pick<Mutant, "edits" | "plan">,
  { from, runs, by }: HuntOptions,
): Promise<Outcome[]> {
  return run(edits, by, [{ from, runs, plan }]);
}

/** A seed that caught a mutant, and what its plan was laid down to have. */
export interface Catch {
  readonly seed: number;
  readonly plan: MutantPlan;
}

/** Runs the seeds that caught mutants without any: what fails then was no catch. @returns what failed. */
export async function falseCatches(catches: readonly Catch[], by: HuntOptions["by"]): Promise<Outcome[]> {
  const tasks = catches.map(({ seed, plan }) => JSON.stringify({ from: seed, runs: 1, plan }));
  const distinct = [...new Set(tasks)].map((task) => JSON.parse(task) as Task);
  const outcomes = await run([], by, distinct);
  if (outcomes.length !== distinct.length) throw new Error("not all seeds were run");
  return outcomes.filter(({ message }) => message !== null);
}

interface Task extends Pick<HuntOptions, "from" | "runs"> {
  readonly plan: MutantPlan;
}

function run(edits: readonly Edit[], by: HuntOptions["by"], tasks: readonly Task[]): Promise<Outcome[]> {
  const planted = by === "oracle" ? [...edits, CHECKS_OFF] : edits;
  const args = [by === "oracle" ? "oracle" : "any", JSON.stringify(tasks)];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--no-warnings", "--import", PLANT, RUN_MUTANT, ...args],
      { env: { ...process.env, KILL_LIST_EDITS: JSON.stringify(planted) }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`the process of the mutant failed: ${stderr}`));
        else
          resolve(
            stdout
              .split("\n")
              .filter((line) => line !== "")
              .map((line) => JSON.parse(line) as Outcome),
          );
      },
    );
  });
}
