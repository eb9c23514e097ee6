import type { Writable } from "node:stream";

/** Bytes gathered before they are handed to the stream at once. */
const FLUSH_BYTES = 64 * 1024;

/** What an output sink tells of. */
export interface OutputSinkHooks {
  /** Called before bytes go to the stream. */
  readonly beforeFlush?: () => void;
  /** Called once, when the stream can no longer be written, e.g. because its reader went away. */
  readonly onBroken?: (error: Error) => void;
}

/**
 * Gathers small writes to a stream, keeps its back pressure visible, and outlives its failure: what is
 * written to a broken stream is dropped, and nothing throws.
 */
export class OutputSink {
  readonly #stream: Writable;
  readonly #hooks: OutputSinkHooks;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #flushDue = false;
  #broken: Error | null = null;
  readonly #breaking: PromiseWithResolvers<void> = Promise.withResolvers();
  #waiters: (() => void)[] = [];

  constructor(stream: Writable, hooks: OutputSinkHooks = {}) {
    this.#stream = stream;
    this.#hooks = hooks;
    stream.on("error", (error: Error) => this.#break(error));
    stream.on("drain", () => this.#release());
  }

  /** True while the stream holds more than it wants to: wait for {@link ready} before writing on. */
  get full(): boolean {
    return this.#broken === null && this.#stream.writableNeedDrain;
  }

  /** Why the stream cannot be written any more, or null. */
  get broken(): Error | null {
    return this.#broken;
  }

  /** Writes text as UTF-8, or bytes. They reach the stream in this turn of the event loop, with others. */
  write(data: string | Uint8Array): void {
    if (this.#broken !== null) return;
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= FLUSH_BYTES) {
      this.flush();
    } else if (!this.#flushDue) {
      this.#flushDue = true;
      setImmediate(() => {
        this.#flushDue = false;
        this.flush();
      });
    }
  }

  /** Hands everything gathered to the stream now. */
  flush(): void {
    if (this.#gatheredBytes === 0 || this.#broken !== null) return;
    this.#hooks.beforeFlush?.();
    const bytes = Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#stream.write(bytes);
  }

  /** Resolves when the sink is no longer full, also because the stream broke. */
  ready(): Promise<void> {
    if (!this.full) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when everything written has left for the operating system, or the stream broke. It is not closed. */
  async finish(): Promise<void> {
    this.flush();
    if (this.#broken !== null) return;
    const written = new Promise<void>((resolve) => {
      // An empty write is called back after everything before it; but a stream may break and never call back.
      this.#stream.write("", () => resolve());
    });
    await Promise.race([written, this.#breaking.promise]);
  }

  #break(error: Error): void {
    if (this.#broken !== null) return;
    this.#broken = error;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#breaking.resolve();
    this.#hooks.onBroken?.(error);
    this.#release();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
