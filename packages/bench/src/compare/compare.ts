import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench, BenchResult, Column } from "../bench.js";
import { count, ratio, text } from "../statistics/cells.js";
import { summarize } from "../statistics/summary.js";
import { ChildError, benchOf, runChild } from "./run-child.js";

/** The checkout that this program was built from. */
const HERE = fileURLToPath(new URL("../../../..", import.meta.url));

/** The results of the same run in two checkouts, one right after the other. */
export interface Pair {
  readonly there: readonly BenchResult[];
  readonly here: readonly BenchResult[];
}

/** Benchmarks that need more than the engine, and the package that brings all of it. */
const NEEDED: Readonly<Record<string, string>> = {
  durable: "server",
  restart: "server",
  transfer: "server",
  redis: "server",
};

/**
 * Builds another checkout, as far as a benchmark needs it. An older one may lack the rest.
 *
 * @throws {ChildError} when that cannot be done, with what to do about it.
 */
export async function buildCheckout(dir: string, bench: string): Promise<string> {
  const checkout = resolve(dir);
  if (!existsSync(join(checkout, "packages/raft/package.json")))
    throw new ChildError(`${checkout} is no checkout of Seshat: there is no packages/raft in it`);
  const needed = NEEDED[bench] ?? "raft";
  const project = join(checkout, "packages", needed, "tsconfig.build.json");
  if (!existsSync(project))
    throw new ChildError(`${checkout} cannot be measured by ${bench}: it has no ${project}`);
  const compiler = join(checkout, "node_modules/.bin/tsc");
  if (!existsSync(compiler)) throw new ChildError(`${checkout} has no dependencies: run pnpm install there`);
  await runChild(compiler, ["-b", project]);
  return checkout;
}

/** Runs a benchmark in both checkouts by turns: there, here, there, here ... */
export async function runPairs(
  checkout: string,
  args: readonly string[],
  pairs: number,
  progress: (what: string) => void,
): Promise<Pair[]> {
  const results: Pair[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    progress(`pair ${pair} of ${pairs}, there`);
    const there = await benchOf(checkout, args).catch((thrown: unknown) => {
      throw new ChildError(`${checkout} cannot be measured by ${args[0]}: ${(thrown as Error).message}`);
    });
    progress(`pair ${pair} of ${pairs}, here`);
    results.push({ there, here: await benchOf(HERE, args) });
  }
  return results;
}

/** One result for each measurement and each field compared: both medians, and the ratio here : there with its range. */
export function comparePairs({ name, keys, compared }: Bench, pairs: readonly Pair[]): BenchResult[] {
  const keyOf = (result: BenchResult): string => JSON.stringify(keys.map((key) => result[key]));
  const [first] = pairs;
  return (first?.here ?? []).flatMap((model) =>
    compared.flatMap((field): BenchResult[] => {
      const values = (side: "there" | "here"): number[] =>
        pairs.flatMap((pair) => {
          const value = pair[side].find((result) => keyOf(result) === keyOf(model))?.[field];
          return typeof value === "number" ? [value] : [];
        });
      const [there, here] = [values("there"), values("here")];
      if (there.length !== pairs.length || here.length !== pairs.length) return [];
      const ratios = summarize(here.map((value, i) => value / (there[i] as number)));
      return [
        {
          bench: name,
          ...Object.fromEntries(keys.map((key) => [key, model[key] ?? null])),
          compared: field,
          there: summarize(there).median,
          here: summarize(here).median,
          ratio: ratios.median,
          ratioMin: ratios.min,
          ratioMax: ratios.max,
          pairs: pairs.length,
        },
      ];
    }),
  );
}

/** The columns of {@link comparePairs}. */
export function comparisonColumns({ keys }: Bench): Column[] {
  return [
    ...keys.map((key) => text(key, key)),
    text("compared", "compared"),
    count("there", "there"),
    count("here", "here"),
    ratio("here : there", "ratio"),
    ratio("least", "ratioMin"),
    ratio("most", "ratioMax"),
  ];
}
