/** One direction between two nodes: open, or shut; and how long what passes is under way. */
export class Gate {
  delayMs = 0;
  #isShut = false;
  readonly #waiting: (() => void)[] = [];

  get isShut(): boolean {
    return this.#isShut;
  }

  shut(): void {
    this.#isShut = true;
  }

  open(): void {
    this.#isShut = false;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  /** Ends once the gate is open. */
  async passed(): Promise<void> {
    while (this.#isShut) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }
}
