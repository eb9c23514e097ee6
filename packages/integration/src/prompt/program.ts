import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@seshat/common";
import { InvalidValueError, SeshatError } from "@seshat/common";
import type { KeyValueCluster } from "../cluster/key-value-cluster.js";
import { startKeyValueCluster } from "../cluster/key-value-cluster.js";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import { borrowKeys } from "./borrow-keys.js";
import type { ConsoleOptions } from "./console.js";
import { Console } from "./console.js";
import type { InputSource } from "./input-source.js";
import { STANDARD_INPUT, describeIoError, fileSource, streamSource } from "./input-source.js";
import { OutputSink } from "./output-sink.js";
import { Pipeline } from "./pipeline.js";
import type { ProgramIo } from "./program-io.js";
import type { ProgramOptions } from "./program-options.js";
import { USAGE_EXIT_CODE, parseArguments } from "./program-options.js";
import { runBatch } from "./run-batch.js";
import type { Watch } from "./run-command.js";
import { runInteractive } from "./run-interactive.js";
import { statusTable } from "./status-table.js";
import { styleFor } from "./style.js";
import { summaryText } from "./summary.js";
import { textLogger } from "./text-logger.js";
import type { WatchParts } from "./watch.js";
import { watchChanges, watchLive } from "./watch.js";

/** Exit codes besides 0 and the one for wrong usage: one of our own, one of sysexits.h, and 128 + n for signal n. */
const FAILED_LINES = 1;
const INTERNAL_FAILURE = 70;
const INTERRUPTED = 130;
const TERMINATED = 143;
const READER_GONE = 141;

/**
 * Runs the program to its end. Nothing of it is left running when the promise resolves.
 *
 * @param args the command line, without the program and script that Node puts before it.
 * @returns the exit code.
 */
export async function runProgram(args: readonly string[], io: ProgramIo): Promise<number> {
  const version = readVersion();
  const parsed = parseArguments(args, version);
  if (parsed.type === "say") return await leave(io, parsed.stdout, parsed.stderr, parsed.exitCode);
  try {
    const { options } = parsed;
    const terminal = options.files.length === 0 && io.stdin.isTTY === true && io.stdout.isTTY === true;
    return await (terminal ? runOnTerminal(options, version, io) : runFromSources(options, io));
  } catch (error) {
    if (error instanceof InvalidValueError)
      return await leave(io, "", `error: ${error.message}\n`, USAGE_EXIT_CODE);
    if (error instanceof SeshatError)
      return await leave(io, "", `error: ${error.message}\n`, INTERNAL_FAILURE);
    const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return await leave(io, "", `internal error: ${story}\n`, INTERNAL_FAILURE);
  }
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Says something instead of running, or instead of running on. */
async function leave(io: ProgramIo, stdout: string, stderr: string, exitCode: number): Promise<number> {
  for (const [stream, text] of [[io.stdout, stdout] as const, [io.stderr, stderr] as const]) {
    const sink = new OutputSink(stream);
    sink.write(text);
    await sink.finish();
  }
  return exitCode;
}

async function runFromSources(options: ProgramOptions, io: ProgramIo): Promise<number> {
  const paths = options.files.length === 0 ? [STANDARD_INPUT] : options.files;
  const sources: InputSource[] = [];
  for (const path of paths) {
    sources.push(path === STANDARD_INPUT ? streamSource("stdin", io.stdin) : await fileSource(path));
  }
  const sizes = sources.map((source) => source.size);
  const bytes = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const consoleOptions: ConsoleOptions = {
    results: options.raw ? "raw" : "quoted",
    interactive: false,
    progressBytes: options.quiet ? "none" : bytes,
  };
  return await runSession(options, io, consoleOptions, async ({ pipeline, console, signal }) => {
    const started = io.now();
    let unreadable = 0;
    await runBatch(sources, pipeline, {
      signal,
      onProgress: (progress) => console.progress(progress),
      onUnreadable: (source, error) => {
        unreadable += 1;
        console.note(`${source.name}: cannot be read: ${describeIoError(error)}`);
      },
    });
    const failed = unreadable > 0 || pipeline.stats.errors > 0;
    return { exitCode: failed ? FAILED_LINES : 0, elapsedMs: io.now() - started };
  });
}

async function runOnTerminal(options: ProgramOptions, version: string, io: ProgramIo): Promise<number> {
  const consoleOptions: ConsoleOptions = {
    results: options.raw ? "raw" : "terminal",
    interactive: true,
    progressBytes: "none",
  };
  return await runSession(options, io, consoleOptions, async ({ pipeline, console, target, signal }) => {
    const style = styleFor(true, io.env);
    console.say(
      `${style.strong(`Seshat ${version}`)}: ${greeting(target.status())}. ${style.faint("help lists the commands, quit or Ctrl-D ends.")}\n`,
    );
    console.flush();
    const interrupted = await runInteractive(pipeline, {
      input: io.stdin,
      output: io.stdout,
      prompt: style.strong("seshat> "),
      signal,
      flush: () => console.flush(),
    });
    // A user has seen each error; and of the time that passed most was spent typing.
    return { exitCode: interrupted ? INTERRUPTED : 0, elapsedMs: pipeline.stats.busyMs };
  });
}

function greeting({ leaderId, nodes }: KeyValueClusterStatus): string {
  const leader = nodes.find(({ nodeId }) => nodeId === leaderId);
  const leads =
    leader === undefined ? "none leads yet" : `node ${leader.nodeId} leads in term ${leader.term}`;
  return nodes.length === 1 ? leads : `${nodes.length} nodes, ${leads}`;
}

async function startTarget(options: ProgramOptions, logger: Logger): Promise<KeyValueCluster> {
  const { nodes, timeoutMs, snapshotPolicy, keep } = options;
  const config = { snapshotPolicy, maxInSnapshotLogToKeep: keep };
  return await startKeyValueCluster({ nodes, config, logger, timeoutMs });
}

/** Waits on the clock of the machine. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // An abort rejects it, and is no failure.
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Watches on a terminal: the table is drawn in place until a key is pressed. */
function liveWatch(io: ProgramIo, console: Console, target: KeyValueCluster, signal: AbortSignal): Watch {
  const parts: WatchParts = { look: () => target.status(), pause };
  return async (intervalMs) => {
    const key = new AbortController();
    const giveBack = borrowKeys(io.stdin, () => key.abort());
    const live = console.liveText();
    const hint = `every ${intervalMs} ms; any key ends it\n`;
    try {
      await watchLive(
        parts,
        intervalMs,
        (status) => live.draw(`${statusTable(status)}${hint}`),
        AbortSignal.any([key.signal, signal]),
      );
    } finally {
      giveBack();
    }
    return { type: "ok" };
  };
}

/** Watches where nobody can press a key: a status for each change. */
function listWatch(console: Console, target: KeyValueCluster, signal: AbortSignal): Watch {
  const parts: WatchParts = { look: () => target.status(), pause };
  return async (intervalMs) => {
    const show = async (status: KeyValueClusterStatus): Promise<void> => {
      console.result({ type: "status", status });
      if (console.full) await console.ready();
    };
    return { type: "text", text: await watchChanges(parts, intervalMs, show, signal) };
  };
}

/** What a session is run with. */
interface Session {
  readonly target: KeyValueCluster;
  readonly pipeline: Pipeline;
  readonly console: Console;
  /** Aborts when the session is to end early. */
  readonly signal: AbortSignal;
}

/** How a session went, if nothing interrupted it. */
interface SessionEnd {
  readonly exitCode: number;
  /** The time that the throughput is taken over. */
  readonly elapsedMs: number;
}

async function runSession(
  options: ProgramOptions,
  io: ProgramIo,
  consoleOptions: ConsoleOptions,
  drive: (session: Session) => Promise<SessionEnd>,
): Promise<number> {
  const outputBroken = new AbortController();
  const console = new Console(io, consoleOptions, (error) => outputBroken.abort(error));
  const logger = textLogger(options.logLevel, (line) => console.note(line));
  await using target = await startTarget(options, logger);
  const signal = AbortSignal.any([io.interrupt, outputBroken.signal]);
  const watch = consoleOptions.interactive
    ? liveWatch(io, console, target, signal)
    : listWatch(console, target, signal);
  const pipeline = new Pipeline(target, console, io.now, watch);
  const { exitCode, elapsedMs } = await drive({ target, pipeline, console, signal });
  const status = target.status();
  await console.finish();
  const outputError = outputBroken.signal.reason as NodeJS.ErrnoException | undefined;
  if (outputError?.code === "EPIPE") return READER_GONE;
  if (outputError !== undefined)
    console.note(`the results cannot be written: ${describeIoError(outputError)}`);
  if (pipeline.failure !== null) console.note(`the run ended early: ${pipeline.failure.message}`);
  if (!options.quiet) console.note(summaryText(pipeline.stats, elapsedMs, status).trimEnd());
  await console.finish();
  if (outputError !== undefined || pipeline.failure !== null) return INTERNAL_FAILURE;
  if (io.interrupt.aborted) return io.interrupt.reason === "SIGTERM" ? TERMINATED : INTERRUPTED;
  return exitCode;
}
