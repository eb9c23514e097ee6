import { parseArgs } from "node:util";
import { makePlan } from "../faults/plan.js";
import { minimize } from "../minimize.js";
import { simulate } from "../simulation.js";
import { simSystem } from "../workload/sim-system.js";
import { Campaign } from "./campaign.js";

const HELP = `Runs clusters of real nodes on virtual time, with faults that a seed decides, and checks that nothing is broken.

Usage: pnpm sim [options]

  --seeds N   how many seeds to run, one after another (default 100)
  --from N    the first of them (default 1)
  --seed N    run this one alone
  --trace     with --seed: print what happened, step by step
  --minimize  with --seed: if it fails, leave out what it does not take to fail
  --help      this text

The exit code is 0 when every property held, 1 when one did not, and 2 when the options make no sense.
`;

/** What the command line writes to. */
export interface SimIo {
  out(text: string): void;
  err(text: string): void;
  /** True when errors go to a terminal, which can show progress. */
  readonly isTerminal: boolean;
  /** Milliseconds on the machine's clock. */
  now(): number;
}

/** The command line of the simulator. @returns the exit code. */
export async function sim(args: readonly string[], io: SimIo): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(args);
  } catch (thrown) {
    io.err(`${(thrown as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    io.out(HELP);
    return 0;
  }
  return options.seed === null ? runMany(options, io) : runOne(options.seed, options, io);
}

function parse(args: readonly string[]): {
  readonly help: boolean;
  readonly seed: number | null;
  readonly from: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly minimize: boolean;
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      minimize: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { seed, trace, help } = values;
  if (seed === undefined && (trace || values.minimize))
    throw new Error("--trace and --minimize need --seed: they are about one run");
  return {
    help,
    trace,
    minimize: values.minimize,
    seed: seed === undefined ? null : whole("--seed", seed),
    from: whole("--from", values.from),
    seeds: whole("--seeds", values.seeds),
  };
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${option} is ${JSON.stringify(text)}, but it must be a whole number from 1 on`);
  return value;
}

async function runMany(
  { from, seeds }: { readonly from: number; readonly seeds: number },
  io: SimIo,
): Promise<number> {
  const campaign = new Campaign();
  const startedAt = io.now();
  const seconds = (): number => Math.max(0.001, (io.now() - startedAt) / 1000);
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = await simulate(makePlan(seed));
    campaign.add(result);
    if (io.isTerminal) io.err(`\r\u001b[K${campaign.runs}/${seeds} ${campaign.summary(seconds())}`);
    if (result.violation !== null) io.out(failure(seed, result.violation));
  }
  if (io.isTerminal) io.err("\r\u001b[K");
  io.out(`${campaign.table()}\n\n${campaign.summary(seconds())}\n`);
  return campaign.violations.length === 0 ? 0 : 1;
}

async function runOne(
  seed: number,
  options: { readonly trace: boolean; readonly minimize: boolean },
  io: SimIo,
): Promise<number> {
  const plan = makePlan(seed);
  const result = await simulate(plan, simSystem, { trace: options.trace });
  if (options.trace) io.out(`${result.trace.join("\n")}\n`);
  io.out(`seed ${seed}: ${result.steps} steps, trace ${result.traceHash}\n`);
  if (result.violation === null) return 0;
  io.out(failure(seed, result.violation));
  if (options.minimize) {
    const least = await minimize(plan, result.violation, (candidate) => simulate(candidate));
    io.out(`It takes no more than this:\n${JSON.stringify(least, null, 2)}\n`);
  }
  return 1;
}

function failure(seed: number, violation: Error): string {
  return `\nseed ${seed} FAILS\n${violation.message}\nRun it again: pnpm sim --seed ${seed} --trace\n\n`;
}
