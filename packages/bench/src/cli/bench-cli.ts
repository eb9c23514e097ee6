import type { Bench, BenchResult, BenchSettings, Column } from "../bench.js";
import { BENCHES } from "../benches/all.js";
import { checkShares } from "../check/check-shares.js";
import { verificationErrorBehind } from "../cluster/tally.js";
import { buildCheckout, comparePairs, comparisonColumns, runPairs } from "../compare/compare.js";
import { ChildError } from "../compare/run-child.js";
import { writeReport } from "../report/report.js";
import { HELP } from "./help.js";
import type { CliOptions } from "./options.js";
import { parseOptions } from "./options.js";
import { plainTable } from "./table.js";

/** What the command line writes to. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** True when errors go to a terminal, which can show progress. */
  readonly isTerminal: boolean;
}

/** Rounds of each process when checkouts are compared: its figures are their medians, so that one hiccup is forgotten. */
const ROUNDS_OF_A_CHILD = 3;

const CLEAR_LINE = "\r\u001b[K";

/** The command line. @returns the exit code. */
export async function benchCli(args: readonly string[], io: CliIo): Promise<number> {
  let options: CliOptions;
  try {
    options = parseOptions(args);
  } catch (thrown) {
    io.err(`${(thrown as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    io.out(HELP);
    return 0;
  }
  try {
    return await carryOut(options, io);
  } catch (thrown) {
    if (io.isTerminal) io.err(CLEAR_LINE);
    const undone = verificationErrorBehind(thrown);
    if (undone !== null) io.err(`The work was not done: ${undone.message}\n`);
    else if (thrown instanceof ChildError) io.err(`${thrown.message}\n`);
    else throw thrown;
    return 1;
  }
}

async function carryOut(options: CliOptions, io: CliIo): Promise<number> {
  const settings = settingsOf(options, io);
  if (options.name === "check") return check(settings, options, io);
  const benches = BENCHES.filter(({ name }) => options.name === "all" || options.name === name);
  for (const bench of benches) {
    const named = { ...settings, progress: (what: string) => settings.progress(`${bench.name}: ${what}`) };
    const { columns, results } =
      options.compare === null
        ? { columns: bench.columns, results: await run(bench, named, options, io) }
        : await compare(bench, named, options, options.compare, io);
    if (io.isTerminal) io.err(CLEAR_LINE);
    if (!options.json)
      io.out(
        `${benches.length > 1 ? `\n${bench.name}: ${bench.about}\n` : ""}${plainTable(columns, results)}`,
      );
    if (options.report) for (const path of writeReport(bench, results)) io.err(`wrote ${path}\n`);
  }
  return 0;
}

function settingsOf({ clients, seconds, rounds, scale }: CliOptions, io: CliIo): BenchSettings {
  return {
    ...(clients === undefined ? {} : { clients }),
    seconds,
    rounds,
    scale,
    progress: (what) => {
      if (io.isTerminal) io.err(`${CLEAR_LINE}${what}`);
    },
    notice: (what) => io.err(`${io.isTerminal ? CLEAR_LINE : ""}${what}\n`),
  };
}

async function run(
  bench: Bench,
  settings: BenchSettings,
  { json }: CliOptions,
  io: CliIo,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for await (const result of bench.run(settings)) {
    results.push(result);
    if (json) io.out(`${JSON.stringify(result)}\n`);
  }
  return results;
}

async function compare(
  bench: Bench,
  { clients, seconds, rounds, scale, progress }: BenchSettings,
  { json }: CliOptions,
  dir: string,
  io: CliIo,
): Promise<{ readonly columns: readonly Column[]; readonly results: readonly BenchResult[] }> {
  progress(`building ${dir}`);
  const checkout = await buildCheckout(dir, bench.name);
  const args = [
    bench.name,
    "--rounds",
    String(ROUNDS_OF_A_CHILD),
    "--seconds",
    String(seconds),
    "--scale",
    String(scale),
  ];
  if (clients !== undefined) args.push("--clients", clients.join(","));
  const results = comparePairs(bench, await runPairs(checkout, args, rounds, progress));
  if (json) for (const result of results) io.out(`${JSON.stringify(result)}\n`);
  return { columns: comparisonColumns(bench), results };
}

async function check(settings: BenchSettings, { json }: CliOptions, io: CliIo): Promise<number> {
  let passed = true;
  for await (const checked of checkShares(settings.progress)) {
    if (io.isTerminal) io.err(CLEAR_LINE);
    passed &&= checked.passed;
    const { clients, share, floor, rounds } = checked;
    const verdict = checked.passed ? "ok" : "FAILED";
    if (json) io.out(`${JSON.stringify({ bench: "check", ...checked })}\n`);
    else
      io.out(
        `${verdict}: ${clients} clients reach ${percent(share)} of the promise limit, best of ${rounds} rounds; the floor is ${percent(floor)}\n`,
      );
  }
  return passed ? 0 : 1;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
