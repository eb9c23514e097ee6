import { randomInt } from "node:crypto";

/** What a command line is given of the world. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** True when errors go to a terminal, which can show progress. */
  readonly isTerminal: boolean;
  readonly interrupted: AbortSignal;
  freshSeed(): number;
}

/** The exit code of a command line that was interrupted. */
export const INTERRUPTED = 130;

/** Runs a command line on this process: its arguments, its output, and Ctrl-C. */
export async function runCli(cli: (args: readonly string[], io: CliIo) => Promise<number>): Promise<void> {
  const interruption = new AbortController();
  process.on("SIGINT", () => {
    // Whoever asks a second time does not want to wait for the end of what is under way.
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort();
  });
  process.exitCode = await cli(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    interrupted: interruption.signal,
    freshSeed: () => randomInt(1, 2 ** 40),
  });
}
