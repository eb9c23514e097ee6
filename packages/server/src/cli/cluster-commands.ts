import type { Command } from "commander";
import { backup } from "./backup.js";
import { bench } from "./bench.js";
import type { CliIo } from "./io.js";
import { bootstrap, join, leave, snapshot, transfer } from "./membership.js";
import { showStatus } from "./status.js";
import type { TargetFlags } from "./target-options.js";
import {
  addTargetOptions,
  address,
  addresses,
  milliseconds,
  positive,
  targetOf,
  wholeNumber,
} from "./target-options.js";

/** The commands that ask a server which runs. */
export function addClusterCommands(program: Command, io: CliIo): void {
  const command = (usage: string, description: string): Command =>
    addTargetOptions(program.command(usage).description(description));
  const target = (flags: TargetFlags): ReturnType<typeof targetOf> => targetOf(flags, io.env);

  command("bootstrap", "found a cluster, once, of servers that were started with --wait")
    .argument("<host:port,...>", "where clients reach them, separated by commas", addresses)
    .action((nodes: readonly string[], flags: TargetFlags) =>
      bootstrap(
        nodes.map((at) => ({ ...target(flags), address: at })),
        io,
      ),
    );
  command("join", "make a server that was started with --wait a member of the cluster of --connect")
    .argument("<host:port>", "where clients reach it", address)
    .action((fresh: string, flags: TargetFlags) =>
      join({ ...target(flags), address: fresh }, target(flags), io),
    );
  command("leave", "take a node out of its cluster")
    .option("--id <id>", "which (the one at --connect)", wholeNumber)
    .action((flags: TargetFlags & { readonly id?: number }) => leave(target(flags), flags.id ?? null, io));
  command("status", "show the nodes of a cluster")
    .option("--watch [ms]", "again and again, until Ctrl-C", milliseconds)
    .action((flags: TargetFlags & { readonly watch?: number | true }) =>
      showStatus(target(flags), flags.watch ?? null, io),
    );
  command("transfer", "hand the leadership over")
    .option("--to <id>", "to which node (the one with most of the log)", wholeNumber)
    .action((flags: TargetFlags & { readonly to?: number }) => transfer(target(flags), flags.to ?? null, io));
  command("snapshot", "take a snapshot on the node at --connect").action((flags: TargetFlags) =>
    snapshot(target(flags), io),
  );
  command("backup", "write everything that the cluster holds to a file, while it goes on")
    .argument("<file>", "where to; it must not be there yet")
    .action((file: string, flags: TargetFlags) => backup(target(flags), file, io));
  command("bench", "measure writes and reads, with keys bench:<n>")
    .option("--clients <n>", "connections", positive, 50)
    .option("--pipeline <n>", "commands that each has under way", positive, 1)
    .option("--seconds <s>", "for each of both", positive, 5)
    .option("--value-bytes <n>", "length of a value", positive, 64)
    .option("--keys <n>", "how many different keys", positive, 100_000)
    .action((flags: TargetFlags & Parameters<typeof bench>[1]) => bench(target(flags), flags, io));
}
