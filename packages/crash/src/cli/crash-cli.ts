import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SeededRandom } from "@seshat/raft/testing";
import { Cluster, NODE_IDS } from "../cluster/cluster.js";
import { CallError } from "../cluster/node-process.js";
import { RoundFailure } from "../cluster/round-failure.js";
import type { RoundSum } from "../machine/journal-machine.js";
import { runRound } from "../round/round.js";
import type { CrashOptions } from "./options.js";
import { HELP, parseOptions } from "./options.js";
import { CLEAR_LINE, progressLine } from "./progress.js";
import { Tally } from "./tally.js";

/** What the command line is given of the world. */
export interface CrashIo {
  out(text: string): void;
  err(text: string): void;
  /** True when errors go to a terminal, which can show progress. */
  readonly isTerminal: boolean;
  readonly interrupted: AbortSignal;
  freshSeed(): number;
}

const INTERRUPTED = 130;

/** The command line. @returns the exit code. */
export async function crashCli(args: readonly string[], io: CrashIo): Promise<number> {
  let options: CrashOptions;
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
  const dir = await emptyDirectory(options.dir);
  if (dir === null) {
    io.err(`--dir is ${JSON.stringify(options.dir)}, but that directory is not empty\n`);
    return 2;
  }
  const seed = options.seed ?? io.freshSeed();
  io.err(`seed ${seed}\n`);
  const cluster = new Cluster(dir, options.plant);
  const tally = new Tally();
  try {
    const code = await runRounds(options, { cluster, seed, tally, io });
    const outcome = { seed, passed: code === 0, ...tally.toJSON() };
    io.out(options.json ? `${JSON.stringify(outcome)}\n` : tally.summary());
    if (code === 1) io.err(`The directories of the nodes: ${dir}\n`);
    else if (options.dir === null) await cluster.stop().then(() => rm(dir, { recursive: true }));
    return code;
  } finally {
    await cluster.stop();
  }
}

interface RunParts {
  readonly cluster: Cluster;
  readonly seed: number;
  readonly tally: Tally;
  readonly io: CrashIo;
}

async function runRounds({ rounds }: CrashOptions, { cluster, seed, tally, io }: RunParts): Promise<number> {
  const random = new SeededRandom(seed);
  const sums = new Map<number, RoundSum>();
  let lastId = 0;
  const nextId = (): number => (lastId += 1);
  const show = (text: string): void => {
    if (io.isTerminal) io.err(text);
  };
  try {
    await cluster.found();
    for (let round = 1; round <= rounds && !io.interrupted.aborted; round++) {
      show(progressLine(round - 1, rounds, tally.kills, tally.acknowledged));
      // Each round has a source of its own: what one draws does not depend on how much its clients got done.
      tally.add(await runRound({ cluster, round, random: random.fork(), nextId, sums }));
    }
    show(CLEAR_LINE);
    return io.interrupted.aborted ? INTERRUPTED : 0;
  } catch (error) {
    if (!(error instanceof RoundFailure || error instanceof CallError)) throw error;
    show(CLEAR_LINE);
    const rule = error instanceof RoundFailure ? error.rule : "answers";
    io.err(`round ${tally.count + 1} of seed ${seed} FAILS: ${rule}\n${error.message}\n`);
    for (const id of NODE_IDS) {
      const { output } = cluster.node(id);
      if (output !== "") io.err(`node ${id} wrote last:\n${output}\n`);
    }
    return 1;
  }
}

/** @returns its absolute path; null when it holds anything. */
async function emptyDirectory(dir: string | null): Promise<string | null> {
  if (dir === null) return mkdtemp(join(tmpdir(), "seshat-crash-"));
  const path = resolve(dir);
  await mkdir(path, { recursive: true });
  return (await readdir(path)).length === 0 ? path : null;
}
