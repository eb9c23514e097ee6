#!/usr/bin/env node
import { runCli } from "@seshat/chaos";
import { crashCli } from "../cli/crash-cli.js";

await runCli(crashCli);
