#!/usr/bin/env -S node --max-semi-space-size=32
import { setFlagsFromString } from "node:v8";
import { OLD_NODE_EXIT, oldNode } from "@seshat/common";

// A version of V8 that does not know one of these says so and goes on.
for (const flag of [
  // Of what is made for an entry thousands are alive at once, and soon none is. Where V8 looks at such a moment it takes them for lasting, and makes them in its
  // old generation from then on: garbage that stays until all of the heap is collected.
  "--no-allocation-site-pretenuring",
  // What a node does for an entry it does some hundred times a second: with V8's own counts (400, 3000, and 500 after each new type that was seen) a server is
  // half as fast in its first ten seconds, and again whenever something happens for the first time, as it is later.
  "--invocation-count-for-maglev=100",
  "--invocation-count-for-turbofan=500",
  "--minimum-invocations-after-ic-update=100",
])
  setFlagsFromString(flag);

async function main(): Promise<void> {
  // Where nobody reads any more what is said, nothing is said: a server goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for what is under way.
      if (interrupt.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
      interrupt.abort(signal);
    });
  }

  const { runProgram } = await import("../cli/program.js");
  process.exitCode = await runProgram(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    log: process.stderr,
    interrupt: interrupt.signal,
  });
}

const problem = oldNode("seshat", process.versions.node);
if (problem === null) await main();
else {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = OLD_NODE_EXIT;
}
