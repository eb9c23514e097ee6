import { rm } from "node:fs/promises";
import { ChaosFailure } from "../check/chaos-failure.js";
import type { FoundingTimes } from "../cluster/cluster.js";
import type { NetworkKind } from "../network/network.js";
import type { ScenarioReport } from "../scenario/run-scenario.js";
import { beginRun } from "./begin-run.js";
import { HELP, parseOptions } from "./options.js";
import { CLEAR_LINE, progressLine } from "./progress.js";
import type { MatrixWatcher } from "./run-matrix.js";
import type { CliIo } from "./run-cli.js";
import { INTERRUPTED } from "./run-cli.js";
import { runMatrix } from "./run-matrix.js";
import { sumUp, table } from "./table.js";
import { showTimes, timesOf } from "./times.js";

/** The command line. @returns the exit code. */
export async function chaosCli(args: readonly string[], io: CliIo): Promise<number> {
  const begun = await beginRun(args, io, { parse: parseOptions, help: HELP, prefix: "seshat-chaos-" });
  if (typeof begun === "number") return begun;
  const { options, dir, seed } = begun;
  const tally = new Tally(options.scenarios.length * options.rounds, io);
  const failure = await failureOf(runMatrix(options, { seed, dir }, tally));
  if (io.isTerminal) io.err(CLEAR_LINE);
  const sums = sumUp(tally.reports);
  const outcome = { seed, passed: failure === null, formed: tally.clusters, scenarios: sums };
  if (options.json) io.out(`${JSON.stringify({ ...outcome, failed: failure?.rule ?? null })}\n`);
  else if (sums.length > 0) io.out(`${table(sums)}${formedText(tally.clusters)}`);
  if (failure !== null) {
    io.err(`${tally.doing} of seed ${seed} FAILS: ${failure.rule}\n${failure.message}\n`);
    for (const [id, output] of tally.outputs) io.err(`node ${id} wrote last:\n${output}\n`);
    io.err(`The directories of the nodes: ${dir}\n`);
    return 1;
  }
  if (options.dir === null) await rm(dir, { recursive: true });
  return io.interrupted.aborted ? INTERRUPTED : 0;
}

interface FormedCluster extends FoundingTimes {
  readonly network: NetworkKind;
}

/** What was seen so far. */
class Tally implements MatrixWatcher {
  readonly interrupted: AbortSignal;
  readonly reports: ScenarioReport[] = [];
  readonly clusters: FormedCluster[] = [];
  readonly outputs: (readonly [number, string])[] = [];
  doing = "";
  readonly #of: number;
  readonly #io: CliIo;

  constructor(of: number, io: CliIo) {
    this.#of = of;
    this.#io = io;
    this.interrupted = io.interrupted;
  }

  begins(doing: string): void {
    this.doing = doing;
    if (this.#io.isTerminal) this.#io.err(progressLine(this.reports.length, this.#of, doing));
  }

  formed(network: NetworkKind, times: FoundingTimes): void {
    this.clusters.push({ network, ...times });
  }

  ended(report: ScenarioReport): void {
    this.reports.push(report);
  }

  wrote(id: number, output: string): void {
    this.outputs.push([id, output]);
  }
}

async function failureOf(done: Promise<void>): Promise<ChaosFailure | null> {
  try {
    await done;
    return null;
  } catch (error) {
    if (error instanceof ChaosFailure) return error;
    return new ChaosFailure("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function formedText(formed: readonly FormedCluster[]): string {
  const kinds = [...new Set(formed.map(({ network }) => network))];
  return kinds
    .map((kind) => {
      const own = formed.filter(({ network }) => network === kind);
      const fromStart = showTimes(timesOf(own.map(({ fromStartMs }) => fromStartMs)));
      const fromBootstrap = showTimes(timesOf(own.map(({ fromBootstrapMs }) => fromBootstrapMs)));
      return `clusters over ${kind}: ${own.length}, formed ${fromStart} ms after their processes were started, ${fromBootstrap} ms after bootstrap\n`;
    })
    .join("");
}
