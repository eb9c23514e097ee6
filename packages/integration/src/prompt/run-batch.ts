import { setImmediate } from "node:timers/promises";
import { HASH, isSpace } from "./ascii.js";
import { BadLineError } from "./bad-line-error.js";
import type { Command } from "./command.js";
import { parseCommand } from "./command.js";
import type { InputSource } from "./input-source.js";
import type { Line } from "./line-splitter.js";
import { LineSplitter } from "./line-splitter.js";
import type { Pipeline, Place } from "./pipeline.js";
import type { Progress } from "./progress-bar.js";
import { splitArguments } from "./split-arguments.js";

/**
 * The longest line: enough for a DEL of 1024 keys of 256 bytes, or a SET of a value of 64 KiB, with every byte
 * written as `\xHH`.
 */
export const MAX_LINE_BYTES: number = 2 * 1024 * 1024;

/**
 * Lines run between two turns of the event loop. Answers come back within a turn, so that without this a whole
 * file could pass before a signal is heard, a result is written or a snapshot that is being built goes on.
 */
const LINES_PER_TURN = 128;

/** What a batch run is given besides its input. */
export interface BatchOptions {
  /** Ends the run early: what is under way is settled, no further line is read. */
  readonly signal: AbortSignal;
  /** Called now and then with what was read so far. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called when an input cannot be read, or not to its end. The run goes on with the next one. */
  readonly onUnreadable: (source: InputSource, error: Error) => void;
}

/**
 * Runs the commands of every source, one a line, and resolves when all are settled and given out. Blank lines
 * and lines that begin with `#` are skipped; a line that is no command is reported, and the rest goes on.
 * QUIT ends the run, and so does a failure of the pipeline.
 */
export async function runBatch(
  sources: readonly InputSource[],
  pipeline: Pipeline,
  options: BatchOptions,
): Promise<void> {
  let bytes = 0;
  for (const source of sources) {
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    let goOn = true;
    let unreadable = false;
    const chunks = readChunks(source, options.signal, (error) => {
      unreadable = true;
      options.onUnreadable(source, error);
    });
    for await (const chunk of chunks) {
      bytes += chunk.length;
      goOn = await runLines(splitter.push(chunk), source.name, pipeline, options);
      if (!goOn) break;
      options.onProgress?.({ commands: pipeline.stats.commands, bytes });
    }
    // Half a line is no command: it counts only where the input truly ended.
    const last = goOn && !unreadable && !options.signal.aborted ? splitter.end() : null;
    if (last !== null) goOn = await runLines([last], source.name, pipeline, options);
    if (!goOn || options.signal.aborted) break;
  }
  await pipeline.drain();
}

/** The chunks of a source up to its end or to where it cannot be read, told apart from errors of whoever reads them. */
async function* readChunks(
  source: InputSource,
  signal: AbortSignal,
  onUnreadable: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source.open(signal);
  } catch (error) {
    // A stream that was told to stop may end with an error that says so.
    if (!signal.aborted) onUnreadable(error as Error);
  }
}

/** @returns false when no further line is to be read. */
async function runLines(
  lines: Iterable<Line>,
  source: string,
  pipeline: Pipeline,
  { signal }: BatchOptions,
): Promise<boolean> {
  for (const line of lines) {
    const place: Place = { source, line: line.number };
    const understood = understandLine(line);
    if (understood === null) continue;
    const wait =
      understood instanceof BadLineError
        ? pipeline.reject(understood, place)
        : pipeline.submit(understood, place, line.bytes?.length ?? 0);
    // Waiting only when there is something to wait for spares a turn for each of the other lines.
    if (wait !== undefined) await wait;
    if (line.number % LINES_PER_TURN === 0) await setImmediate();
    if (signal.aborted || pipeline.failure !== null) return false;
    if (!(understood instanceof BadLineError) && understood.type === "quit") return false;
  }
  return true;
}

/** The command of a line, why it is none, or null for a blank line or a comment. */
export function understandLine(line: Line): Command | BadLineError | null {
  if (line.bytes === null) return new BadLineError(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  const first = line.bytes.find((byte) => !isSpace(byte));
  if (first === undefined || first === HASH) return null;
  try {
    return parseCommand(splitArguments(line.bytes));
  } catch (error) {
    if (error instanceof BadLineError) return error;
    throw error;
  }
}
