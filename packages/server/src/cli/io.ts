import type { DestinationStream } from "pino";

/** Where the program reads and writes, and what ends it. */
export interface CliIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where log records go. */
  readonly log: DestinationStream;
  /** Aborts when the program is told to end. */
  readonly interrupt: AbortSignal;
}
