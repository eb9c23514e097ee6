import { readFileSync } from "node:fs";
import { InvalidValueError, SeshatError } from "@seshat/common";
import { Command, CommanderError } from "commander";
import { addClusterCommands } from "./cluster-commands.js";
import { CliError, EXIT } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import { hasTerminal, isInputPiped, isLab, runInLab } from "./play.js";
import { runPrompt } from "./prompt.js";
import { recoverNode, restoreBackup } from "./offline.js";
import type { StartFlags } from "./start-options.js";
import { addStartOptions, configOf } from "./start-options.js";
import { runStart } from "./start.js";

const EXAMPLES = `
Examples:
  $ seshat start                                   one node, data in ./seshat-data, clients at 127.0.0.1:6379
  $ seshat start --id 2 --port 6380 --dir two --wait         a node for a cluster
  $ seshat bootstrap 127.0.0.1:6379,127.0.0.1:6380,127.0.0.1:6381
  $ seshat status --watch
  $ seshat join 127.0.0.1:6382 --connect 127.0.0.1:6379      make a new node a member
  $ seshat backup friday.backup && seshat restore friday.backup --dir restored

Exit codes: 0 all went well, 1 what was asked for was not done, 2 wrong usage or configuration, 69 an old Node, 70 the node failed.`;

const PLAY_HELP = `
With commands on standard input, from a pipe or a file, or with one of --file, --nodes, --snapshot-every, --keep, --raw
and --quiet, it is a cluster in this process instead, in memory, which can be hurt: KILL, PARTITION, ADD and more.
Its own help: seshat play --nodes 3 --help`;

/** How long the prompt waits for a server that is in the same process, in milliseconds. */
const PROMPT_TIMEOUT_MS = 10_000;

/**
 * Runs the program to its end.
 *
 * @param args the command line, without the program and script that Node puts before it.
 * @returns the exit code.
 */
export async function runProgram(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.ok;
  const program = makeProgram(io, (result) => (code = result));
  try {
    if (args[0] === "play" && isLab(args.slice(1), isInputPiped)) return await runInLab(args.slice(1), io);
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) return say(io, error.message, error.exitCode);
    if (error instanceof InvalidValueError) return say(io, error.message, EXIT.usage);
    if (error instanceof SeshatError || isExpected(error)) return say(io, error.message, EXIT.failed);
    const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return say(io, `internal error: ${story}`, EXIT.internal);
  }
}

function say(io: CliIo, message: string, code: number): number {
  io.stderr.write(`error: ${message}\n`);
  return code;
}

/** Errors of the system, such as a port that is taken, and stores that cannot be used. */
function isExpected(error: unknown): error is Error {
  return error instanceof Error && ("syscall" in error || "reason" in error);
}

function makeProgram(io: CliIo, ended: (code: number) => void): Command {
  const program = new Command("seshat")
    .description("A linearizable, Redis-compatible key-value server.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(--help explains the commands)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  addStartOptions(program.command("start").description("run a server, until SIGINT or SIGTERM")).action(
    async (flags: StartFlags) => ended(await runStart(configOf(flags), io)),
  );
  addStartOptions(
    program
      .command("play")
      .description("the same with a prompt on a terminal; and a cluster in memory, for commands from a pipe")
      .addHelpText("after", PLAY_HELP),
  ).action(async (flags: StartFlags) => {
    const config = configOf({ logLevel: "warn", ...flags });
    const { password = "" } = config.server.limits ?? {};
    const talk = (address: string): Promise<void> =>
      runPrompt({ address, password: password === "" ? null : password, timeoutMs: PROMPT_TIMEOUT_MS }, io);
    ended(await runStart(config, io, hasTerminal(io) ? talk : null));
  });
  addStartOptions(
    program.command("check-config").description("check a configuration, and what the flags make of it"),
  ).action((flags: StartFlags) => {
    configOf(flags);
    io.stdout.write("OK\n");
  });
  addClusterCommands(program, io);
  addStartOptions(
    program
      .command("restore <file>")
      .description("make a new node out of a backup; others can be joined to it"),
  ).action((file: string, flags: StartFlags) => restoreBackup(file, configOf(flags), io));
  addStartOptions(
    program
      .command("recover")
      .description("make a stopped node the only voter, after the majority was lost for good")
      .option("--yes", "do it"),
  ).action((flags: StartFlags & { readonly yes?: boolean }) =>
    recoverNode(configOf(flags), flags.yes === true, io),
  );
  return program;
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
