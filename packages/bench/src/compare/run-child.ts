import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { BenchResult } from "../bench.js";

const PROGRAM = fileURLToPath(new URL("../bin/seshat-bench.js", import.meta.url));
const RESOLVER = new URL("resolve-checkout.js", import.meta.url).href;

/** A program that ended with an error, and what it wrote about it. */
export class ChildError extends Error {
  override readonly name = "ChildError";
}

/** Runs a program to its end. @returns what it wrote. @throws {ChildError} when its exit code is not 0. */
export function runChild(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.on("error", (error) => reject(new ChildError(`${command}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new ChildError(
            `${command} ${args.join(" ")}: exit ${code ?? signal}\n${errors || output}`.trimEnd(),
          ),
        );
    });
  });
}

/** Runs a benchmark in a process of its own, on the packages of a checkout that is built. */
export async function benchOf(checkout: string, args: readonly string[]): Promise<BenchResult[]> {
  const output = await runChild(
    process.execPath,
    [...process.execArgv, "--import", RESOLVER, PROGRAM, ...args, "--json"],
    { SESHAT_BENCH_CHECKOUT: checkout },
  );
  return parseResults(output);
}

/** Reads what `--json` printed. */
export function parseResults(output: string): BenchResult[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BenchResult);
}
