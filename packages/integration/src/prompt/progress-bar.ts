/** A terminal line is cleared by going to its start and erasing to its end (ECMA-48: CR, EL). */
const CLEAR_LINE = "\r\x1b[K";
const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** How far a run has come. */
export interface Progress {
  readonly commands: number;
  readonly bytes: number;
}

/**
 * One line that shows how far a run has come, redrawn at most ten times a second. Whatever else writes to
 * the same terminal calls {@link ProgressBar.clear} before.
 */
export class ProgressBar {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #totalBytes: number | null;
  readonly #columns: () => number;
  readonly #started: number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  /**
   * @param totalBytes the length of all input, or null when it is not known: then there is a count and no bar.
   * @param columns the width of the terminal at this moment.
   */
  constructor(
    write: (text: string) => void,
    now: () => number,
    totalBytes: number | null,
    columns: () => number,
  ) {
    this.#write = write;
    this.#now = now;
    this.#totalBytes = totalBytes;
    this.#columns = columns;
    this.#started = now();
  }

  /** Shows `progress`, unless the last drawing is too recent. */
  update(progress: Progress): void {
    const now = this.#now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#visible = true;
    const text = progressText(progress, this.#totalBytes, now - this.#started);
    // A line that fills the terminal would wrap, and could then not be cleared.
    this.#write(CLEAR_LINE + text.slice(0, Math.max(0, this.#columns() - 1)));
  }

  /** Removes the line, if it is there. */
  clear(): void {
    if (!this.#visible) return;
    this.#visible = false;
    this.#write(CLEAR_LINE);
  }
}

/** The line of a progress bar, without colours. */
export function progressText(progress: Progress, totalBytes: number | null, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? Math.round((progress.commands * 1000) / elapsedMs) : 0;
  const counts = `${groupDigits(progress.commands)} commands, ${groupDigits(rate)}/s`;
  if (totalBytes === null || totalBytes === 0) return counts;
  const share = Math.min(1, progress.bytes / totalBytes);
  const filled = Math.floor(share * BAR_WIDTH);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]${percent}  ${counts}`;
}

/** A whole number with commas between groups of three digits. */
export function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
