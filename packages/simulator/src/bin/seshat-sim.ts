#!/usr/bin/env node
import { sim } from "../cli/sim.js";

process.exitCode = await sim(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  now: () => performance.now(),
});
