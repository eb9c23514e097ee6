import type { StorageVerb } from "@seshat/common";
import { StorageError } from "@seshat/common";
import { messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import type { Extent } from "../wal/extent.js";
import type { MarkerFile } from "../wal/marker-file.js";
import type { WalFiles } from "../wal/wal-files.js";
import type { Fill } from "./batch-writer.js";
import { BatchWriter } from "./batch-writer.js";
import type { LaneMetrics } from "./lane-metrics.js";
import { LaneCounts } from "./lane-metrics.js";
import type { Sync } from "./syncer.js";
import { Syncer } from "./syncer.js";

/** One write on its way. Each callback is called once, with null or with what went wrong. */
interface Write {
  readonly verb: StorageVerb;
  readonly bytes: number;
  readonly fill: Fill;
  /** It can be read. */
  readonly onWritten: ((error: Error | null) => void) | null;
  /** It is durable; null when nobody asks for that. */
  readonly onDurable: ((error: Error | null) => void) | null;
}

export interface LaneParts {
  readonly database: RocksDatabase;
  readonly wals: WalFiles;
  readonly marker: MarkerFile;
  readonly io: StoreIo;
  /** What was durable when the store was opened, and how many batches the database holds. */
  readonly extent: Extent;
  readonly stallMs: number;
}

/**
 * The one way into the database. Writes that wait become one batch, and one sync makes all batches durable that were written by
 * then: group commit. While a sync is under way, batches are written; what they hold is for the next sync.
 *
 * The first error poisons the lane: a sync that failed has lost the pages it was for, and nothing that was written since can be
 * promised. Every later call gets that error.
 */
export class WriteLane {
  readonly #parts: LaneParts;
  #queue: Write[] = [];
  /** Goes with the next batch. */
  #rider: Fill | null = null;
  /** Being written. */
  #inBatch: Write[] = [];
  /** Written and waiting for a sync. */
  #unsynced: Write[] = [];
  #running = false;
  readonly #writer: BatchWriter;
  readonly #syncer: Syncer;
  #syncing = false;
  #batches: number;
  #poison: Error | null = null;
  #closed = false;
  #idle: (() => void)[] = [];
  readonly #counts: LaneCounts;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#counts = new LaneCounts(parts.stallMs);
    this.#writer = new BatchWriter(parts.database, parts.stallMs);
    this.#syncer = new Syncer({ ...parts, onMarkerFailure: (cause) => this.#fail(cause) });
    this.#batches = parts.extent.batches;
  }

  metrics(): LaneMetrics {
    return this.#counts.metrics();
  }

  /** True when RocksDB may still have a batch in its hands that was given up. */
  get gaveUp(): boolean {
    return this.#writer.gaveUp;
  }

  get queuedBytes(): number {
    return this.#counts.queuedBytes;
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
    this.#queue.push(write);
    this.#counts.queued(write.bytes);
    this.#run();
  }

  /** Ends when the write is durable. */
  durable(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    return new Promise((resolve, reject) => {
      const onDurable = (error: Error | null): void => (error === null ? resolve() : reject(error));
      this.enqueue({ verb, bytes, fill, onWritten: null, onDurable });
    });
  }

  /** Ends when the write can be read. It is durable with the next write that is. */
  written(verb: StorageVerb, bytes: number, fill: Fill): Promise<void> {
    return new Promise((resolve, reject) => {
      const onWritten = (error: Error | null): void => (error === null ? resolve() : reject(error));
      this.enqueue({ verb, bytes, fill, onWritten, onDurable: null });
    });
  }

  /** Writes this with the next batch, whenever there is one, in place of what was to go with it before. A clean close counts as one. */
  withNextBatch(rider: Fill): void {
    this.check("save committed");
    this.#rider = rider;
  }

  /** Ends when everything that was queued before is durable, and the marker says so. Nothing can be written any more. */
  async close(): Promise<void> {
    if (this.#poison === null && !this.#closed) {
      await this.durable("save committed", 0, () => {});
      this.#closed = true;
      await this.#syncer.close();
    }
    this.#closed = true;
    this.#syncer.stop();
    this.#writer.stop();
    await this.settled();
    await this.#syncer.settled();
  }

  /** Ends when no call to the database or a file is under way. */
  settled(): Promise<void> {
    if (!this.#running && !this.#syncing) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    // Writes of one turn go into one batch.
    queueMicrotask(() => void this.#loop());
  }

  async #loop(): Promise<void> {
    try {
      while (this.#queue.length > 0 || (this.#unsynced.length > 0 && !this.#syncing)) {
        if (this.#queue.length > 0) await this.#writeBatch();
        // Between two batches: so the files end with a whole one, and the extent with it.
        if (this.#unsynced.length > 0 && !this.#syncing) await this.#beginSync();
      }
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#running = false;
      this.#noticeIdle();
    }
  }

  async #writeBatch(): Promise<void> {
    const startedAt = performance.now();
    await this.#parts.io.beforeBatch();
    // From here to the flush nothing may be awaited: what the writes put into the batch is what was queued by now.
    const writes = this.#queue;
    this.#queue = [];
    this.#inBatch = writes;
    let extent: Extent | null = null;
    if (writes.some(({ onDurable }) => onDurable !== null)) {
      this.#batches += 1;
      extent = { ...this.#syncer.extent, batches: this.#batches };
    }
    const fills = writes.map(({ fill }) => fill);
    const rider = this.#rider;
    this.#rider = null;
    if (rider !== null) fills.push(rider);
    await this.#writer.write(extent, fills);
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0);
    this.#counts.batchWritten(bytes, startedAt);
    this.#syncer.batchWritten(bytes);
    // A sync that failed meanwhile has poisoned what was written after it too.
    if (this.#poison !== null) throw this.#poison;
    this.#inBatch = [];
    for (const write of writes) {
      write.onWritten?.(null);
      if (write.onDurable !== null) this.#unsynced.push(write);
    }
  }

  /** Begins a sync of everything that was written so far, and does not wait for it. */
  async #beginSync(): Promise<void> {
    const writes = this.#unsynced;
    this.#unsynced = [];
    this.#syncing = true;
    const startedAt = performance.now();
    try {
      const sync = await this.#syncer.begin(this.#batches);
      void this.#finishSync(sync, startedAt, writes);
    } catch (cause) {
      this.#endSync(writes, cause);
    }
  }

  async #finishSync(sync: Sync, startedAt: number, writes: readonly Write[]): Promise<void> {
    let bytes: number;
    try {
      bytes = await sync.done;
      if (this.#poison !== null) throw this.#poison;
    } catch (cause) {
      this.#endSync(writes, cause);
      return;
    }
    this.#counts.synced(bytes, startedAt);
    this.#endSync([]);
    for (const { onDurable } of writes) onDurable?.(null);
  }

  /** @param failed what is not durable, because of `cause`. */
  #endSync(failed: readonly Write[], cause?: unknown): void {
    this.#syncing = false;
    if (cause !== undefined) this.#fail(cause, failed);
    if (this.#unsynced.length > 0) this.#run();
    this.#noticeIdle();
  }

  #noticeIdle(): void {
    if (this.#running || this.#syncing) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  #fail(cause: unknown, syncing: readonly Write[] = []): void {
    this.#poison ??= cause instanceof Error ? cause : new Error(messageOf(cause));
    const poison = this.#poison;
    const failed = [...syncing, ...this.#unsynced, ...this.#inBatch, ...this.#queue];
    const unwritten = new Set([...this.#inBatch, ...this.#queue]);
    this.#unsynced = [];
    this.#inBatch = [];
    this.#queue = [];
    for (const write of failed) {
      const error = new StorageError(write.verb, messageOf(poison), { cause: poison });
      if (unwritten.has(write)) write.onWritten?.(error);
      write.onDurable?.(error);
    }
  }
}
