import { adviceFor } from "./advice.js";
import type { CommandResult, ResultStyle } from "./command-result.js";
import { formatResult } from "./command-result.js";
import { LiveText } from "./live-text.js";
import { OutputSink } from "./output-sink.js";
import type { PipelineOutput, Place } from "./pipeline.js";
import type { ProgramIo } from "./program-io.js";
import type { Progress } from "./progress-bar.js";
import { ProgressBar } from "./progress-bar.js";
import type { Style } from "./style.js";
import { styleFor } from "./style.js";

/** The size of a terminal that does not tell it. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** How a console shows things. */
export interface ConsoleOptions {
  readonly results: ResultStyle;
  /** True when a user types and sees each answer at once, so that errors need no place. */
  readonly interactive: boolean;
  /** The length of all input for a progress bar, null when it is unknown, or "none" for no bar. */
  readonly progressBytes: number | null | "none";
}

/**
 * Both outputs of the program: results on standard output, and on standard error what is said about the run,
 * with a progress bar that never mixes with anything else on the same terminal.
 */
export class Console implements PipelineOutput {
  readonly #io: ProgramIo;
  readonly #stdout: OutputSink;
  readonly #stderr: OutputSink;
  readonly #bar: ProgressBar | null;
  readonly #style: Style;
  readonly #options: ConsoleOptions;
  /** True when results appear on the terminal that errors appear on. */
  readonly #shared: boolean;

  /** @param onStdoutBroken called once when results can no longer be written. */
  constructor(io: ProgramIo, options: ConsoleOptions, onStdoutBroken: (error: Error) => void) {
    const { stdout, stderr } = io;
    this.#io = io;
    this.#options = options;
    this.#style = styleFor(stderr.isTTY === true, io.env);
    this.#shared = stdout.isTTY === true && stderr.isTTY === true;
    this.#stderr = new OutputSink(stderr);
    this.#stdout = new OutputSink(stdout, {
      onBroken: onStdoutBroken,
      beforeFlush: () => {
        if (this.#shared) this.#clearBar();
      },
    });
    const { progressBytes } = options;
    this.#bar =
      progressBytes === "none" || stderr.isTTY !== true
        ? null
        : new ProgressBar(
            (text) => this.#stderr.write(text),
            io.now,
            progressBytes,
            // A terminal that was not told its size says 0.
            () => stderr.columns || DEFAULT_COLUMNS,
          );
  }

  get full(): boolean {
    return this.#stdout.full || this.#stderr.full;
  }

  async ready(): Promise<void> {
    await this.#stdout.ready();
    await this.#stderr.ready();
  }

  result(result: CommandResult): void {
    this.#stdout.write(formatResult(result, this.#options.results));
  }

  error(place: Place, error: Error): void {
    const where = this.#options.interactive ? "(error) " : `${place.source}:${place.line}: `;
    this.note(`${where}${this.#style.error(`${error.message}${adviceFor(error)}`)}`);
  }

  /** A line on standard error. */
  note(line: string): void {
    if (this.#shared) this.#stdout.flush();
    this.#clearBar();
    this.#stderr.write(`${line}\n`);
  }

  /** Text on standard output that is not the result of a command. */
  say(text: string): void {
    this.#stdout.write(text);
  }

  /** Lines on standard output, a terminal, that are drawn again in place. */
  liveText(): LiveText {
    const { stdout } = this.#io;
    return new LiveText(
      (text) => {
        this.#stdout.write(text);
        this.#stdout.flush();
      },
      () => ({ columns: stdout.columns || DEFAULT_COLUMNS, rows: stdout.rows || DEFAULT_ROWS }),
    );
  }

  /** Shows how far the run has come, where there is a progress bar. */
  progress(progress: Progress): void {
    this.#bar?.update(progress);
  }

  /** Brings everything to the terminal. */
  flush(): void {
    this.#stdout.flush();
    this.#stderr.flush();
  }

  /** Removes the progress bar, and resolves when all was written that can be. */
  async finish(): Promise<void> {
    this.#clearBar();
    await this.#stdout.finish();
    await this.#stderr.finish();
  }

  #clearBar(): void {
    if (this.#bar === null) return;
    this.#bar.clear();
    this.#stderr.flush();
  }
}
