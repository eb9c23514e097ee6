import { fstatSync } from "node:fs";
import { runProgram as runLab } from "@seshat/integration/program";
import type { CliIo } from "./io.js";

/** Options of the cluster in one process: with one of them, that is what is meant. */
const LAB_OPTIONS: ReadonlySet<string> = new Set([
  "-f",
  "--file",
  "-n",
  "--nodes",
  "--snapshot-every",
  "--keep",
  "--raw",
  "-q",
  "--quiet",
]);

/**
 * Whether commands are brought that a cluster in this process is to carry out: by a pipe or a file as standard input, or by options that only that has.
 */
export function isLab(args: readonly string[], isPiped: () => boolean): boolean {
  if (args.some((arg) => LAB_OPTIONS.has(arg.split("=", 1)[0] ?? ""))) return true;
  return args.length === 0 && isPiped();
}

/** Whether standard input is something that commands come from, and neither a terminal nor nothing. */
export function isInputPiped(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

/** Runs a cluster in this process, in memory: see `@seshat/integration`. @returns the exit code. */
export function runInLab(args: readonly string[], io: CliIo): Promise<number> {
  return runLab(args, {
    stdin: io.stdin,
    stdout: io.stdout,
    stderr: io.stderr,
    env: io.env,
    interrupt: io.interrupt,
    now: () => performance.now(),
  });
}

export function hasTerminal(io: CliIo): boolean {
  return io.stdin.isTTY === true && io.stdout.isTTY === true;
}
