import type { RaftConfig } from "@seshat/raft";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { MAX_TIMEOUT_MS } from "../check-options.js";
import { MAX_NODES } from "../cluster/cluster-options.js";
import { STANDARD_INPUT } from "./input-source.js";
import type { LogThreshold } from "./text-logger.js";
import { LOG_LEVELS } from "./text-logger.js";

/** What the command line says. */
export interface ProgramOptions {
  /** Paths of the files to run, in order; `-` is standard input. None: standard input or a terminal. */
  readonly files: readonly string[];
  /** How many nodes there are, 1 to 9. */
  readonly nodes: number;
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly snapshotPolicy: RaftConfig["snapshotPolicy"];
  /** Log entries kept behind a snapshot. */
  readonly keep: number;
  readonly raw: boolean;
  readonly quiet: boolean;
  readonly logLevel: LogThreshold;
}

/** A command line understood, or what to say instead of running. */
export type ParsedArguments =
  | { readonly type: "run"; readonly options: ProgramOptions }
  | { readonly type: "say"; readonly stdout: string; readonly stderr: string; readonly exitCode: number };

const DEFAULT_SNAPSHOT_POLICY: RaftConfig["snapshotPolicy"] = { type: "logsSinceLast", entries: 5000 };

/** The exit code for a command line that makes no sense. */
export const USAGE_EXIT_CODE = 2;

const EXAMPLES = `
On a terminal there is a line editor with history, and tab completes commands. Otherwise each line of the
input is one command, and the result of each goes to standard output, in order:

  SET key value   GET key   DEL key...   EXISTS key...   STATUS [--watch [ms]]   HELP [command]   QUIT

The cluster is in this process: one node, or as many as --nodes says. It can be made larger and smaller, and hurt:

  ADD [node]   REMOVE node   TRANSFER [node]   SNAPSHOT [node]   PURGE [node]
  KILL node   RESTART [node]   PARTITION 1 | 2,3   HEAL

Reads and writes find the leader by themselves, and try again until they have an answer, at most --timeout-ms. A node
that was down, cut off or added gets what it lacks from the log of the leader, or its snapshot.

STATUS is a table on a terminal, otherwise one line of JSON. STATUS --watch draws the table in place until a key is
pressed; otherwise it is one line for each change, until 10 looks in a row show none, or 100 in all.

Values hold any bytes, quoted as in redis-cli: "line\\n", "\\x00\\xff", 'it\\'s'. GET answers in the same form, one
line a value; with --raw it answers the bytes themselves. Blank lines and # comments are skipped.

Examples:
  $ seshat-single                                   talk to a node on the terminal
  $ printf 'SET a 1\\nGET a\\n' | seshat-single       OK, then "1"
  $ seshat-single --file load.txt --file check.txt  run two files on one node
  $ seshat-single --nodes 3                         talk to three nodes, kill some and look
  $ printf 'ADD\\nADD\\nREMOVE 1\\nSTATUS\\n' | seshat-single   from one node to two others
  $ seshat-single -f load.txt --snapshot-every 1000 --keep 0 >results.txt

A line that fails is reported on standard error as file:line: reason, and the rest goes on. At the end a summary
goes to standard error: commands, errors, throughput, latency, last applied entry, snapshots taken.

Exit codes: 0 all went well, 1 a line failed or an input could not be read, 2 wrong usage, 70 the node or the
output failed, 130 and 143 interrupted by SIGINT and SIGTERM, 141 nobody reads the results any more.`;

function wholeNumber(text: string, min: number, expected: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
    throw new InvalidArgumentError(expected);
  return value;
}

function numberOfNodes(text: string): number {
  const expected = `It must be a whole number from 1 to ${MAX_NODES}.`;
  const nodes = wholeNumber(text, 1, expected);
  if (nodes > MAX_NODES) throw new InvalidArgumentError(expected);
  return nodes;
}

function timeoutMs(text: string): number {
  const expected = `It must be a whole number from 1 to ${MAX_TIMEOUT_MS}.`;
  const value = wholeNumber(text, 1, expected);
  if (value > MAX_TIMEOUT_MS) throw new InvalidArgumentError(expected);
  return value;
}

function entriesToKeep(text: string): number {
  return wholeNumber(text, 0, "It must be a whole number of at least 0.");
}

function parseSnapshotPolicy(text: string): RaftConfig["snapshotPolicy"] {
  if (text === "never") return { type: "never" };
  return {
    type: "logsSinceLast",
    entries: wholeNumber(text, 1, 'It must be a whole number of at least 1, or "never".'),
  };
}

function collectFile(path: string, before: readonly string[]): readonly string[] {
  if (path === STANDARD_INPUT && before.includes(STANDARD_INPUT)) {
    throw new InvalidArgumentError("Standard input can be read only once.");
  }
  return [...before, path];
}

/**
 * Reads the command line. Nothing is written and the process does not end: what commander would do is
 * returned.
 *
 * @param args without the program and script that Node puts before them.
 */
export function parseArguments(args: readonly string[], version: string): ParsedArguments {
  let stdout = "";
  let stderr = "";
  const program = new Command("seshat-single")
    .description("A Seshat cluster of one node or several, in memory, driven by a prompt, a pipe or files.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addOption(
      new Option(
        "-f, --file <path>",
        `run the commands of a file (${STANDARD_INPUT}: standard input); may be given again`,
      )
        .default([], "standard input")
        .argParser(collectFile),
    )
    .addOption(
      new Option("-n, --nodes <n>", `how many nodes, 1 to ${MAX_NODES}`).default(1).argParser(numberOfNodes),
    )
    .addOption(
      new Option("--timeout-ms <ms>", "how long a command may take: a read, a write, an ADD, a REMOVE")
        .default(10_000)
        .argParser(timeoutMs),
    )
    .addOption(
      new Option("--snapshot-every <entries>", 'take a snapshot after so many log entries, or "never"')
        .default(DEFAULT_SNAPSHOT_POLICY, "5000")
        .argParser(parseSnapshotPolicy),
    )
    .addOption(
      new Option("--keep <entries>", "log entries kept behind a snapshot, not purged")
        .default(1000)
        .argParser(entriesToKeep),
    )
    .option("--raw", "write values as their bytes, integers bare, (nil) as an empty line")
    .option("-q, --quiet", "no progress bar and no summary")
    .addOption(
      new Option("--log-level <level>", "what the node logs to standard error")
        .choices(LOG_LEVELS)
        .default("warn"),
    )
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(--help explains the options)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (stdout += text),
      writeErr: (text) => (stderr += text),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { type: "say", stdout, stderr, exitCode: error.exitCode === 0 ? 0 : USAGE_EXIT_CODE };
  }
  const given = program.opts<{
    file: readonly string[];
    nodes: number;
    timeoutMs: number;
    snapshotEvery: RaftConfig["snapshotPolicy"];
    keep: number;
    raw?: boolean;
    quiet?: boolean;
    logLevel: LogThreshold;
  }>();
  const { file, raw = false, quiet = false, snapshotEvery: snapshotPolicy, ...rest } = given;
  return { type: "run", options: { ...rest, files: file, snapshotPolicy, raw, quiet } };
}
