import { parseArgs } from "node:util";
import { MAX_SIZE } from "../faults/plan.js";

export const HELP: string = `Runs clusters of real nodes on virtual time, under faults that a seed decides, and checks that nothing is broken.

Usage: pnpm sim [options]

Many seeds
  --seeds N           how many seeds to run (default 100; with --minutes as many as it takes)
  --from N            the first of them (default 1)
  --fresh             begin at a random seed, which is printed, so that every campaign is another one
  --minutes M         begin no seed after so many minutes
  --jobs N            run on so many threads (default 1)
  --require-coverage  fail unless everything in the coverage table happened at least once
  --twice             run each seed twice: both runs must take the same steps
  --json              print the outcome as one JSON object on standard output, and everything else on standard error

One seed
  --seed N            run this one alone
  --trace             print what happened, step by step
  --minimize          if it fails, leave out of its plan what it does not take to fail; print the rest, and its trace

Both
  --size N            founders of the cluster, from 1 to ${MAX_SIZE} (default: the seed decides)
  --steps N           end each run after so many steps; what takes longer to show does not show
  --out DIR           where a history is not linearizable: write a picture of the illegal part there, seed-N.svg
  --help              this text

A seed decides everything: the size of the cluster, which faults there are and when, and what clients do. The same seed takes
the same steps on every machine, so a failure is found again by its number:

  pnpm sim --fresh --minutes 10 --jobs 2   look for trouble
  pnpm sim --seed 4711                     it is still there
  pnpm sim --seed 4711 --minimize          the least that it takes
  pnpm sim --seed 4711 --trace | less      what led to it

The table at the end says how often each fault and each state of the protocol came up. What is marked "never" was not tested.

Exit code: 0 every property held, 1 one did not, 2 the options make no sense, 130 interrupted.
`;

/** What every run is made with. */
export interface RunBounds {
  /** Founders; null where the seed decides. */
  readonly size: number | null;
  /** Null for no bound. */
  readonly maxSteps: number | null;
}

export interface ManyOptions extends RunBounds {
  readonly mode: "many";
  /** Null to begin at a random one. */
  readonly from: number | null;
  /** Infinity for as many as the time allows. */
  readonly seeds: number;
  readonly minutes: number;
  readonly jobs: number;
  readonly requireCoverage: boolean;
  readonly twice: boolean;
  readonly json: boolean;
  readonly out: string | null;
}

export interface OneOptions extends RunBounds {
  readonly mode: "one";
  readonly seed: number;
  readonly trace: boolean;
  readonly minimize: boolean;
  readonly out: string | null;
}

export type SimOptions = { readonly mode: "help" } | ManyOptions | OneOptions;

/** Options that make sense only for many seeds. */
const OF_MANY = ["seeds", "from", "fresh", "minutes", "jobs", "require-coverage", "twice", "json"] as const;
/** Options that make sense only for one. */
const OF_ONE = ["trace", "minimize"] as const;

const MAX_JOBS = 64;

/** @throws {Error} that says what is wrong with the command line. */
export function parseOptions(args: readonly string[]): SimOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      fresh: { type: "boolean" },
      minutes: { type: "string" },
      jobs: { type: "string" },
      "require-coverage": { type: "boolean" },
      twice: { type: "boolean" },
      json: { type: "boolean" },
      seed: { type: "string" },
      trace: { type: "boolean" },
      minimize: { type: "boolean" },
      size: { type: "string" },
      steps: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return { mode: "help" };
  const { size, steps, out = null, seed } = values;
  const common = {
    size: size === undefined ? null : whole("--size", size, 1, MAX_SIZE),
    maxSteps: steps === undefined ? null : whole("--steps", steps, 1),
    out,
  };
  if (seed !== undefined) {
    for (const name of OF_MANY) {
      if (values[name] !== undefined)
        throw new Error(`--${name} does not go with --seed: it is about many seeds`);
    }
    const { trace = false, minimize = false } = values;
    return { mode: "one", seed: whole("--seed", seed, 0), trace, minimize, ...common };
  }
  for (const name of OF_ONE) {
    if (values[name] !== undefined) throw new Error(`--${name} needs --seed: it is about one run`);
  }
  const { from, seeds, minutes, jobs, fresh = false } = values;
  if (from !== undefined && fresh)
    throw new Error("--from does not go with --fresh: both say where to begin");
  return {
    mode: "many",
    from: fresh ? null : from === undefined ? 1 : whole("--from", from, 0),
    seeds:
      seeds === undefined
        ? minutes === undefined
          ? 100
          : Number.POSITIVE_INFINITY
        : whole("--seeds", seeds, 1),
    minutes: minutes === undefined ? Number.POSITIVE_INFINITY : positive("--minutes", minutes),
    jobs: jobs === undefined ? 1 : whole("--jobs", jobs, 1, MAX_JOBS),
    requireCoverage: values["require-coverage"] ?? false,
    twice: values.twice ?? false,
    json: values.json ?? false,
    ...common,
  };
}

function whole(option: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
    throw new Error(`${option} is ${JSON.stringify(text)}, but it must be a whole number ${range}`);
  }
  return value;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new Error(`${option} is ${JSON.stringify(text)}, but it must be a number above 0`);
  return value;
}
