#!/usr/bin/env node
import { chaosCli } from "../cli/chaos-cli.js";
import { runCli } from "../cli/run-cli.js";

await runCli(chaosCli);
