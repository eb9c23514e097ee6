import { messageOf } from "../errors.js";
import type { Fill } from "../journal/operations.js";
import type { RocksDatabase } from "../native/rocksdb.js";

const BACKGROUND_ERRORS = "rocksdb.background-errors";
const WRITE_STOPPED = "rocksdb.is-write-stopped";

/**
 * Writes batches into the database, one at a time.
 *
 * When RocksDB cannot write a table it may make the next batch wait, until there is room on the disk, and say nothing. A batch that
 * waits for that is given up; one that is only slow is not.
 */
export class BatchWriter {
  readonly #database: RocksDatabase;
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | null = null;
  /** When the batch began that is being written, and how to give it up. */
  #current: { readonly startedAt: number; readonly giveUp: (error: Error) => void } | null = null;
  #gaveUp = false;

  constructor(database: RocksDatabase, stallMs: number) {
    this.#database = database;
    this.#stallMs = stallMs;
  }

  /** True when a batch was given up: RocksDB may still have it in its hands. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  /** Writes all of it or nothing. */
  async write(fills: readonly Fill[]): Promise<void> {
    const batch = this.#database.write();
    try {
      for (const fill of fills) fill(batch);
    } catch (thrown) {
      batch.destroy();
      throw thrown;
    }
    const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
    this.#current = { startedAt: performance.now(), giveUp };
    this.#timer ??= setInterval(() => this.#look(), this.#stallMs).unref();
    try {
      await Promise.race([batch.flush().finally(() => batch.destroy()), givenUp]);
    } catch (thrown) {
      throw await this.#explained(thrown);
    } finally {
      this.#current = null;
    }
  }

  /** Ends when everything that was written before stands in tables. */
  async flush(): Promise<void> {
    try {
      await this.#database.flush();
    } catch (thrown) {
      throw await this.#explained(thrown);
    }
  }

  /** Nothing is written any more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const current = this.#current;
    if (current === null || performance.now() - current.startedAt < this.#stallMs) return;
    void this.#isStuck().then((isStuck) => {
      if (!isStuck || current !== this.#current) return;
      this.#gaveUp = true;
      current.giveUp(
        new Error(
          "RocksDB takes no more writes, because it could not write its tables: the disk may be full",
        ),
      );
    });
  }

  /** What RocksDB says of a batch that comes after a failure of its own (a bad file descriptor, say) does not tell why it failed. */
  async #explained(thrown: unknown): Promise<unknown> {
    const said = messageOf(thrown);
    if (/no space left|may be full/i.test(said) || (await this.#backgroundErrors()) === 0) return thrown;
    const problem = `${said}; RocksDB had failed to write its own files before: the disk may be full`;
    return new Error(problem, { cause: thrown });
  }

  async #backgroundErrors(): Promise<number> {
    return Number((await this.#database.getProperty(BACKGROUND_ERRORS).catch(() => null)) ?? 0);
  }

  /** Whether RocksDB failed at something that it does by itself, and lets no writes through. */
  async #isStuck(): Promise<boolean> {
    const [errors, stopped] = await Promise.all([
      this.#backgroundErrors(),
      this.#database.getProperty(WRITE_STOPPED).catch(() => null),
    ]);
    return errors > 0 && stopped === "1";
  }
}
