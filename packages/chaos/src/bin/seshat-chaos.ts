#!/usr/bin/env node
import { randomInt } from "node:crypto";
import { chaosCli } from "../cli/chaos-cli.js";

const interruption = new AbortController();
process.on("SIGINT", () => {
  // Whoever asks a second time does not want to wait for the end of the scenario.
  if (interruption.signal.aborted) process.exit(130);
  interruption.abort();
});
process.exitCode = await chaosCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  interrupted: interruption.signal,
  freshSeed: () => randomInt(1, 2 ** 40),
});
