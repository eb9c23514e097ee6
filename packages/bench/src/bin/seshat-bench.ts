#!/usr/bin/env node
import { benchCli } from "../cli/bench-cli.js";

process.exitCode = await benchCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
});
