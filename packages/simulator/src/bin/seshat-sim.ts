#!/usr/bin/env node
import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMainThread, parentPort } from "node:worker_threads";
import { OLD_NODE_EXIT, oldNode } from "@seshat/common";

/** What Ctrl-C ends with. */
const INTERRUPTED = 130;

async function main(): Promise<void> {
  const interruption = new AbortController();
  process.on("SIGINT", () => {
    // Whoever asks a second time does not want to wait for the table either.
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort();
  });
  const [{ sim }, { threadRunner }] = await Promise.all([
    import("../cli/sim.js"),
    import("../cli/thread-runner.js"),
  ]);
  const code = await sim(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    showsProgress: process.stderr.isTTY,
    showsColour: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    interrupted: interruption.signal,
    now: () => performance.now(),
    freshSeed: () => randomInt(1, 2 ** 40),
    startRunner: () => threadRunner(new URL(import.meta.url)),
    writeFile: async (folder, name, text) => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), text);
    },
  });
  process.exitCode = code;
  // A run that was given up would keep the process alive.
  if (interruption.signal.aborted) process.exit(code);
}

const problem = oldNode("seshat-sim", process.versions.node);
if (problem !== null) {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = OLD_NODE_EXIT;
} else if (isMainThread) await main();
else if (parentPort !== null) (await import("../cli/thread-runner.js")).serveSeeds(parentPort);
