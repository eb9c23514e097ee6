/** The width and height of a terminal at this moment. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines on a terminal that are drawn again in place (ECMA-48: CUU, ED). Nothing else may be written in between. */
export class LiveText {
  readonly #write: (text: string) => void;
  readonly #size: () => ScreenSize;
  /** What is on the screen, and how many lines that is. */
  #drawn = "";
  #lines = 0;

  constructor(write: (text: string) => void, size: () => ScreenSize) {
    this.#write = write;
    this.#size = size;
  }

  /** Shows `text`, lines that end with a newline each, in place of the last one. What does not fit is left out. */
  draw(text: string): void {
    const { columns, rows } = this.#size();
    // A line that fills the width would wrap, and lines that fill the height would scroll: the way back up would be another.
    const lines = text
      .trimEnd()
      .split("\n")
      .slice(0, Math.max(1, rows - 1))
      .map((line) => `${line.slice(0, Math.max(0, columns - 1))}\n`);
    const fitting = lines.join("");
    if (fitting === this.#drawn) return;
    const back = this.#lines === 0 ? "" : `\x1b[${this.#lines}A\r\x1b[J`;
    this.#write(back + fitting);
    this.#drawn = fitting;
    this.#lines = lines.length;
  }
}
