import { rm } from "node:fs/promises";
import type { CliIo } from "@seshat/chaos";
import { CLEAR_LINE, ChaosFailure, INTERRUPTED, beginRun } from "@seshat/chaos";
import { SeededRandom } from "@seshat/raft/testing";
import { CallError } from "../cluster/node-process.js";
import { RoundFailure } from "../cluster/round-failure.js";
import { nodesTarget } from "../target/nodes-target.js";
import { serversTarget } from "../target/servers-target.js";
import type { Target } from "../target/target.js";
import type { CrashOptions } from "./options.js";
import { HELP, parseOptions } from "./options.js";
import { progressLine } from "./progress.js";
import { Tally } from "./tally.js";

/** The command line. @returns the exit code. */
export async function crashCli(args: readonly string[], io: CliIo): Promise<number> {
  const begun = await beginRun(args, io, { parse: parseOptions, help: HELP, prefix: "seshat-crash-" });
  if (typeof begun === "number") return begun;
  const { options, dir, seed } = begun;
  const target = await targetOf(options, dir);
  const tally = new Tally();
  try {
    const code = await runRounds(options, { target, seed, tally, io });
    const outcome = { target: options.target, seed, passed: code === 0, ...tally.toJSON() };
    io.out(options.json ? `${JSON.stringify(outcome)}\n` : tally.summary());
    if (code === 1) io.err(`The directories of the nodes: ${dir}\n`);
    else if (options.dir === null) await target.stop().then(() => rm(dir, { recursive: true }));
    return code;
  } finally {
    await target.stop();
  }
}

interface RunParts {
  readonly target: Target;
  readonly seed: number;
  readonly tally: Tally;
  readonly io: CliIo;
}

async function runRounds({ rounds }: CrashOptions, { target, seed, tally, io }: RunParts): Promise<number> {
  const random = new SeededRandom(seed);
  const show = (text: string): void => {
    if (io.isTerminal) io.err(text);
  };
  try {
    await target.found();
    for (let round = 1; round <= rounds && !io.interrupted.aborted; round++) {
      show(progressLine(round - 1, rounds, tally.kills, tally.acknowledged));
      // Each round has a source of its own: what one draws does not depend on how much its clients got done.
      tally.add(await target.run(round, random.fork()));
    }
    show(CLEAR_LINE);
    return io.interrupted.aborted ? INTERRUPTED : 0;
  } catch (error) {
    const isFailure = error instanceof RoundFailure || error instanceof ChaosFailure;
    if (!isFailure && !(error instanceof CallError)) throw error;
    show(CLEAR_LINE);
    const rule = isFailure ? error.rule : "answers";
    io.err(`round ${tally.count + 1} of seed ${seed} FAILS: ${rule}\n${error.message}\n`);
    for (const [id, output] of target.outputs()) io.err(`node ${id} wrote last:\n${output}\n`);
    return 1;
  }
}

async function targetOf({ target, plant }: CrashOptions, dir: string): Promise<Target> {
  return target === "servers" ? serversTarget(dir, plant) : nodesTarget(dir, plant);
}
