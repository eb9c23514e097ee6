#!/usr/bin/env node
import { OLD_NODE_EXIT, oldNode } from "@seshat/common";

async function main(): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for what is under way.
      if (interrupt.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
      interrupt.abort(signal);
    });
  }

  const { runProgram } = await import("../prompt/program.js");
  process.exitCode = await runProgram(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interrupt: interrupt.signal,
    now: () => performance.now(),
  });
}

const problem = oldNode("seshat-single", process.versions.node);
if (problem === null) await main();
else {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = OLD_NODE_EXIT;
}
