import type { StorageVerb } from "@seshat/common";
import { StorageError } from "@seshat/common";
import { messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { Journal } from "../journal/journal.js";
import type { Fill } from "../journal/operations.js";
import { doOperations } from "../journal/operations.js";
import { RecordMemory } from "../journal/record-memory.js";
import { JournalRecord } from "../journal/record.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import type { MarkerFile } from "../opening/marker-file.js";
import { JournalWriter } from "./journal-writer.js";
import type { LaneMetrics } from "./lane-metrics.js";
import { LaneCounts } from "./lane-metrics.js";
import { Tables } from "./tables.js";

/** How many times as much may be written before tables are made again, until whoever writes waits for those that are being made. */
const JOURNAL_SLACK = 4;

type Callback = (error: Error | null) => void;

/** One write on its way. Each callback is called once, with null or with what went wrong. */
interface Write {
  readonly verb: StorageVerb;
  readonly bytes: number;
  readonly fill: Fill;
  /** It can be read. */
  readonly onWritten: Callback | null;
  /** It is durable; null when nobody asks for that. */
  readonly onDurable: Callback | null;
  /** True when somebody waits for it to be read. Else it may be a little later. */
  readonly isAwaited?: boolean;
}

export interface LaneParts {
  readonly database: RocksDatabase;
  readonly journal: Journal;
  readonly marker: MarkerFile;
  readonly io: StoreIo;
  /** The number of the last record, which is durable and in the database. */
  readonly number: number;
  /** How much is written to the journal before the database makes tables of it, in bytes. */
  readonly journalBytes: number;
  readonly stallMs: number;
}

/**
 * The one way into the store. Writes of one turn become one record; records that wait become one write to the journal, which makes all of them
 * durable: group commit. What is durable goes into the database behind that, many records at a time, and once the database has it in its tables it
 * goes from the journal.
 *
 * The first error poisons the lane: a write that failed has lost the pages it was for, and nothing that was written since can be
 * promised. Every later call gets that error.
 */
export class WriteLane {
  readonly #journal: Journal;
  readonly #writer: JournalWriter;
  readonly #tables: Tables;
  readonly #counts: LaneCounts;
  readonly #memory = new RecordMemory();
  readonly #journalBytes: number;
  /** Of this turn. */
  #queue: Write[] = [];
  /** Goes with the next record. */
  #rider: Fill | null = null;
  #number: number;
  #retiring: Promise<void> | null = null;
  /** How much was written to the journal since the database was last asked to make tables. */
  #sinceFlush = 0;
  #poison: Error | null = null;
  #closed = false;

  constructor({ database, journal, marker, io, number, journalBytes, stallMs }: LaneParts) {
    const onFailure = (cause: unknown): void => this.#fail(cause);
    this.#journal = journal;
    this.#journalBytes = journalBytes;
    this.#number = number;
    this.#counts = new LaneCounts(stallMs);
    const onWritten = (bytes: number, startedAt: number): void => {
      this.#counts.synced(bytes, startedAt);
      this.#sinceFlush += bytes;
    };
    const makeRoom = (): Promise<void> | null =>
      this.#sinceFlush > journalBytes * JOURNAL_SLACK ? this.#retiring : null;
    this.#writer = new JournalWriter({ journal, marker, number, makeRoom, onWritten, onFailure });
    const onBatch = (bytes: number, startedAt: number): void => {
      this.#counts.batchWritten(bytes, startedAt);
      this.#retireIfFull();
    };
    this.#tables = new Tables({ database, io, stallMs, number, onBatch, onFailure });
  }

  metrics(): LaneMetrics {
    return this.#counts.metrics(this.#journal.bytes);
  }

  /** True when RocksDB may still have a batch in its hands that was given up. */
  get gaveUp(): boolean {
    return this.#tables.gaveUp;
  }

  /** Bytes that wait for the database or for the journal, whichever is further behind: what memory holds of writes. */
  get queuedBytes(): number {
    return Math.max(this.#counts.queuedBytes, this.#writer.bytes);
  }

  /** @throws {StorageError} when a write failed before, or the store is closed. */
  check(verb: StorageVerb): void {
    if (this.#poison !== null) {
      throw new StorageError(verb, `an earlier write failed: ${messageOf(this.#poison)}`, {
        cause: this.#poison,
      });
    }
    if (this.#closed) throw new StorageError(verb, "the store is closed");
  }

  /** Queues a write, and says when it can be read and when it is durable. */
  enqueue(write: Write): void {
    this.check(write.verb);
    this.#counts.queued(write.bytes);
    // Writes of one turn go into one record.
    if (this.#queue.push(write) === 1) queueMicrotask(() => this.#takeQueue());
  }

  /** Ends when the write is durable. */
  durable(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.enqueue({ verb, bytes, fill, onWritten: null, onDurable: settler(resolve, reject) });
    return promise;
  }

  /** Ends when the write can be read. It is durable with the next write that is. */
  written(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onWritten = settler(resolve, reject);
    this.enqueue({ verb, bytes, fill, onWritten, onDurable: null, isAwaited: true });
    return promise;
  }

  /** Ends when the write is durable and can be read. */
  async durableAndWritten(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    await Promise.all([this.durable(verb, bytes, fill), this.written(verb, 0, () => {})]);
  }

  /**
   * Ends when the write can be read. It does not stand in the journal, so a crash may take it, whole or in part, until {@link flush} has ended: for what
   * nothing refers to before that.
   */
  async unlogged(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    this.check(verb);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#counts.queued(bytes);
    const onWritten: Callback = (error) =>
      settler(resolve, reject)(error === null ? null : this.#errorOf(verb, error));
    this.#tables.add({ number: null, bytes, fill, onWritten }, true);
    await promise;
  }

  /** Ends when everything that can be read is durable, what is not in the journal too. */
  async flush(verb: StorageVerb): Promise<void> {
    this.check(verb);
    try {
      await this.#tables.flush();
    } catch (cause) {
      this.#fail(cause);
      throw this.#errorOf(verb, cause);
    }
  }

  /** Writes this with the next record, whenever there is one, in place of what was to go with it before. A clean close counts as one. */
  withNextRecord(rider: Fill): void {
    this.check("save committed");
    this.#rider = rider;
  }

  /**
   * Ends when everything that was queued before is durable, and the marker says so. Nothing can be written any more. Also when it fails, no call to the
   * database or a file is under way when it ends: their descriptors may be closed, and be others' then.
   */
  async close(): Promise<void> {
    try {
      if (this.#poison === null && !this.#closed) await this.durableAndWritten("save committed", 0, () => {});
    } finally {
      this.#closed = true;
      this.#tables.stop(new Error("the store is closed"));
      await this.#settled();
      await this.#writer.close(this.#poison === null);
    }
  }

  /** Ends when no call to the database or the journal is under way. */
  async #settled(): Promise<void> {
    await this.#writer.settled();
    await this.#tables.settled();
    // Of a database that is stuck it may never end, and does nothing more then.
    if (!this.gaveUp) await this.#retiring;
  }

  #takeQueue(): void {
    const writes = this.#queue;
    this.#queue = [];
    if (this.#poison !== null) return this.#refuse(writes, this.#poison);
    const fills = writes.map(({ fill }) => fill);
    if (this.#rider !== null) fills.push(this.#rider);
    this.#rider = null;
    let record: JournalRecord;
    try {
      record = new JournalRecord(this.#number + 1, fills, this.#memory);
    } catch (cause) {
      this.#fail(cause);
      return this.#refuse(writes, cause);
    }
    this.#number = record.number;
    this.#counts.recorded();
    this.#toJournal(record, writes);
    this.#toTables(record, writes);
  }

  #toJournal(record: JournalRecord, writes: readonly Write[]): void {
    const asking = writes.filter(({ onDurable }) => onDurable !== null);
    const onDurable: Callback = (error) => {
      for (const write of asking) write.onDurable?.(error === null ? null : this.#errorOf(write.verb, error));
    };
    this.#writer.add(record, asking.length > 0 ? onDurable : null);
  }

  #toTables(record: JournalRecord, writes: readonly Write[]): void {
    const { number, operations } = record;
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0);
    const onWritten: Callback = (error) => {
      if (error === null) record.stands("tables");
      for (const write of writes) write.onWritten?.(error === null ? null : this.#errorOf(write.verb, error));
    };
    const fill: Fill = (batch) => doOperations(operations, batch);
    this.#tables.add(
      { number, fill, bytes, onWritten },
      writes.some(({ isAwaited }) => isAwaited === true),
    );
  }

  /** Has the database make tables of what it has, so that the journal can do without. */
  #retireIfFull(): void {
    if (this.#retiring !== null || this.#poison !== null || this.#sinceFlush < this.#journalBytes) return;
    this.#sinceFlush = 0;
    this.#retiring = this.#tables
      .flush()
      .then((number) => (this.#poison === null ? this.#journal.retire(number) : undefined))
      .catch((cause: unknown) => this.#fail(cause))
      .finally(() => {
        this.#retiring = null;
      });
  }

  #fail(cause: unknown): void {
    this.#poison ??= cause instanceof Error ? cause : new Error(messageOf(cause));
    const poison = this.#poison;
    this.#tables.stop(poison);
    this.#writer.stop(poison);
    this.#refuse(this.#queue.splice(0), poison);
  }

  #refuse(writes: readonly Write[], cause: unknown): void {
    for (const { verb, onWritten, onDurable } of writes) {
      const error = this.#errorOf(verb, cause);
      onWritten?.(error);
      onDurable?.(error);
    }
  }

  #errorOf(verb: StorageVerb, cause: unknown): StorageError {
    return new StorageError(verb, messageOf(cause), { cause });
  }
}

function settler(resolve: () => void, reject: (error: Error) => void): Callback {
  return (error) => (error === null ? resolve() : reject(error));
}
