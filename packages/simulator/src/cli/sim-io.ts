import type { SeedRunner } from "./run-seed.js";

/** What the command line has to do with the world. */
export interface SimIo {
  out(text: string): void;
  err(text: string): void;
  /** True when standard error is a terminal, which can show progress. */
  readonly showsProgress: boolean;
  /** True when standard output is a terminal that shows colours. */
  readonly showsColour: boolean;
  /** Aborted when the user does not want to wait any longer. */
  readonly interrupted: AbortSignal;
  /** Milliseconds on the machine's clock. */
  now(): number;
  /** A seed that nobody has run before, most likely. */
  freshSeed(): number;
  /** A thread of its own that runs seeds. */
  startRunner(): SeedRunner;
  /** Writes a file, and the folder that it is in. */
  writeFile(folder: string, name: string, text: string): Promise<void>;
}
