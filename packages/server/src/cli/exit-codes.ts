/** How the program ends. */
export const EXIT = {
  ok: 0,
  /** What was asked for was not done. */
  failed: 1,
  /** Wrong usage, or a wrong configuration. */
  usage: 2,
  /** The node stopped by itself, or something that should not happen. */
  internal: 70,
} as const;

/** Something to say, and a code to end with. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
