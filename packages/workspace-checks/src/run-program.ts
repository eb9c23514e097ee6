import { spawn } from "node:child_process";
import { join } from "node:path";
import { WORKSPACE_ROOT } from "./workspace.ts";

/** How a program ended, and what it wrote. */
export interface Finished {
  /** The exit code; null when a signal ended it, as happens past the time limit. */
  readonly code: number | null;
  readonly stdout: string;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;

/** Runs a program to its end, without a terminal and without input. Never rejects for a failing program. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeoutMs?: number },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const { cwd, timeoutMs = 120_000 } = options;
    const child = spawn(command, args, { cwd, timeout: timeoutMs, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    const keep = (chunk: Buffer, isStdout: boolean): void => {
      if (output.length > OUTPUT_LIMIT_BYTES) return;
      output += chunk.toString();
      if (isStdout) stdout += chunk.toString();
    };
    child.stdout.on("data", (chunk: Buffer) => keep(chunk, true));
    child.stderr.on("data", (chunk: Buffer) => keep(chunk, false));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, output }));
  });
}

/** Runs the workspace's TypeScript compiler. */
export function runTsc(args: readonly string[], cwd: string = WORKSPACE_ROOT): Promise<Finished> {
  return runProgram(process.execPath, [join(WORKSPACE_ROOT, "node_modules/typescript/bin/tsc"), ...args], {
    cwd,
  });
}
