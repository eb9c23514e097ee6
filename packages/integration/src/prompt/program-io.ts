import type { Readable, Writable } from "node:stream";

/** A terminal or something else that is written to. */
export type ProgramOutput = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** What surrounds the program: a process, or a test. */
export interface ProgramIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: ProgramOutput;
  readonly stderr: ProgramOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts with the name of the signal, `"SIGINT"` or `"SIGTERM"`, when the user wants the program to end. */
  readonly interrupt: AbortSignal;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}
