import { JOURNALED_KEY } from "../keys.js";
import { ByteWriter } from "@seshat/common/binary";
import type { Fill } from "../journal/operations.js";
import type { StoreIo } from "../io/store-io.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import { BatchWriter } from "./batch-writer.js";

/** How long what nobody waits for may wait for company, in milliseconds. */
const DELAY_MS = 20;
/** How many bytes of it. Of more, what stands for them outlives the young generation of V8, and stays for long. */
const DELAY_BYTES = 131_072;

/** Operations on their way into the database. */
export interface Group {
  /** That of the record of the journal in which they stand; null when they stand in none. */
  readonly number: number | null;
  readonly fill: Fill;
  readonly bytes: number;
  /** They can be read, or never will be: called once. */
  readonly onWritten: (error: Error | null) => void;
}

export interface TablesParts {
  readonly database: RocksDatabase;
  readonly io: StoreIo;
  readonly stallMs: number;
  /** The number of the last record that the database has. */
  readonly number: number;
  /** A batch was written, of so many bytes; it began when `performance.now()` told `startedAt`. */
  readonly onBatch: (bytes: number, startedAt: number) => void;
  /** A batch was not written. Nothing is any more. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Brings what stands in the journal into the database, in the same order, many records in one batch: each batch costs a trip to another
 * thread, which a write need not wait for.
 */
export class Tables {
  readonly #parts: TablesParts;
  readonly #writer: BatchWriter;
  #groups: Group[] = [];
  #bytes = 0;
  #number: number;
  #timer: NodeJS.Timeout | null = null;
  #isUrgent = false;
  #writing: Promise<void> | null = null;
  #failed = false;

  constructor(parts: TablesParts) {
    this.#parts = parts;
    this.#writer = new BatchWriter(parts.database, parts.stallMs);
    this.#number = parts.number;
  }

  /** True when RocksDB may still have a batch in its hands that was given up. */
  get gaveUp(): boolean {
    return this.#writer.gaveUp;
  }

  /** @param isUrgent somebody waits for it. */
  add(group: Group, isUrgent: boolean): void {
    this.#groups.push(group);
    this.#bytes += group.bytes;
    this.#isUrgent ||= isUrgent;
    this.#schedule();
  }

  /**
   * Ends when everything is durable that can be read by now.
   *
   * @returns the number of the last record of which that is so.
   */
  async flush(): Promise<number> {
    const number = this.#number;
    await this.#writer.flush();
    return number;
  }

  /** Ends when everything that was added can be read, or never will be. */
  async settled(): Promise<void> {
    while (!this.#failed && (this.#groups.length > 0 || this.#writing !== null)) {
      this.#isUrgent = true;
      this.#schedule();
      await this.#writing;
    }
    await this.#writing;
  }

  /** Nothing is written any more. What was not written is told `error`. */
  stop(error: Error): void {
    this.#failed = true;
    this.#writer.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const { onWritten } of this.#groups.splice(0)) onWritten(error);
  }

  #schedule(): void {
    if (this.#writing !== null || this.#failed || this.#groups.length === 0) return;
    if (this.#isUrgent || this.#bytes >= DELAY_BYTES) {
      this.#writing = this.#write();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#isUrgent = true;
      this.#schedule();
    }, DELAY_MS);
  }

  async #write(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#parts.io.beforeBatch();
    } catch (error) {
      return this.#fail(error, []);
    }
    // Stopped meanwhile.
    if (this.#failed) return;
    const groups = this.#groups;
    const bytes = this.#bytes;
    this.#groups = [];
    this.#bytes = 0;
    this.#isUrgent = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const number = groups.findLast((group) => group.number !== null)?.number ?? this.#number;
    try {
      await this.#writer.write([...groups.map(({ fill }) => fill), putNumber(number)]);
    } catch (error) {
      return this.#fail(error, groups);
    }
    this.#number = number;
    this.#writing = null;
    this.#parts.onBatch(bytes, startedAt);
    for (const { onWritten } of groups) onWritten(null);
    this.#schedule();
  }

  #fail(error: unknown, groups: readonly Group[]): void {
    this.#writing = null;
    this.#groups.unshift(...groups);
    this.#parts.onFailure(error);
  }
}

/** Goes with every batch, so that the database tells how far it has come. */
export function putNumber(number: number): Fill {
  const value = new ByteWriter(8).u64(number).finish();
  return (batch) => batch.tryPut(JOURNALED_KEY, value);
}
