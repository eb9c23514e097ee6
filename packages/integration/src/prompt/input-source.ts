import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { InvalidValueError } from "@seshat/common";

/** Bytes read from a file at once. */
const READ_BYTES = 256 * 1024;

/** Something that commands are read from, once. */
export interface InputSource {
  /** Its name in error messages. */
  readonly name: string;
  /** Its length in bytes, or null when only reading tells. */
  readonly size: number | null;
  /** Opens it. It is closed when the iteration ends, for whatever reason, or `signal` aborts. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The name of standard input on the command line. */
export const STANDARD_INPUT = "-";

/** Reads commands from a stream, e.g. standard input. */
export function streamSource(name: string, stream: Readable): InputSource {
  return {
    name,
    size: null,
    open(signal) {
      const stop = (): void => void stream.destroy();
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      return stream;
    },
  };
}

/**
 * Reads commands from a file, which need not be a regular one: a named pipe will do.
 *
 * @throws {InvalidValueError} naming `--file` when there is no such file or it is a directory.
 */
export async function fileSource(path: string): Promise<InputSource> {
  const found = await stat(path).catch((error: unknown) => {
    const why = describeIoError(error as NodeJS.ErrnoException);
    throw new InvalidValueError("--file", path, `a file that can be read (${why})`);
  });
  if (found.isDirectory()) throw new InvalidValueError("--file", path, "a file, not a directory");
  return {
    name: path,
    size: found.isFile() ? found.size : null,
    open: (signal) => createReadStream(path, { highWaterMark: READ_BYTES, signal }),
  };
}

/** What went wrong with a file or stream, without the path and system call that Node puts around it. */
export function describeIoError(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "there is none by that name";
  if (error.code === "EACCES") return "permission denied";
  return error.message;
}
