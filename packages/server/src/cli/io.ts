import type { Readable, Writable } from "node:stream";
import type { DestinationStream } from "pino";

/** Where the program reads and writes, and what ends it. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where log records go. */
  readonly log: DestinationStream;
  /** Aborts when the program is told to end. */
  readonly interrupt: AbortSignal;
}
