import type { RocksDatabase } from "../native/rocksdb.js";
import type { Extent } from "../wal/extent.js";
import type { MarkerFile } from "../wal/marker-file.js";
import type { WalFiles } from "../wal/wal-files.js";

/** How long the marker may say less than is durable, after a power failure, in milliseconds. */
const MARKER_SYNC_MS = 1000;

export interface SyncerParts {
  readonly database: RocksDatabase;
  readonly wals: WalFiles;
  readonly marker: MarkerFile;
  /** What was durable when the store was opened. */
  readonly extent: Extent;
  /** A sync of the marker that nobody waits for has failed. */
  readonly onMarkerFailure: (error: unknown) => void;
}

/** A sync under way. */
export interface Sync {
  /** Ends when everything that was written before the sync began is durable, and the marker says so; with how many bytes that were. */
  readonly done: Promise<number>;
}

/** Makes durable what was written to the WAL files, and writes down how far that is. */
export class Syncer {
  readonly #parts: SyncerParts;
  #extent: Extent;
  /** The length of the newest file that is known, while every batch since is known to stand in it; null when RocksDB has to be asked. */
  #newestSize: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #markerSync: Promise<void> | null = null;

  constructor(parts: SyncerParts) {
    this.#parts = parts;
    this.#extent = parts.extent;
  }

  /** What is durable. */
  get extent(): Extent {
    return this.#extent;
  }

  /**
   * A batch was written. RocksDB writes all of it to one file, and nothing else: where the file that is held open has grown by more than
   * the batch has in it, it stands there, and RocksDB need not be asked which file is the current one.
   *
   * @param bytes of its keys and values, or fewer.
   */
  batchWritten(bytes: number): void {
    if (this.#newestSize === null) return;
    const size = this.#parts.wals.newestSize();
    this.#newestSize = size !== null && size - this.#newestSize > bytes ? size : null;
  }

  /**
   * Begins a sync. No batch may be written until this call ends, so that the files end with a whole one. One sync at a time.
   *
   * @param batches how many batches were written that are to be synced.
   */
  async begin(batches: number): Promise<Sync> {
    const { database, wals } = this.#parts;
    // Nearly always everything stands in the file that is held open: that need not wait for its number.
    const newest = wals.syncNewest();
    newest.catch(() => {});
    if (this.#newestSize !== null) {
      return { done: this.#finish({ batches, wal: wals.newest, size: this.#newestSize }, newest) };
    }
    const { number, size } = await database.currentWalFile();
    if (number === wals.newest) this.#newestSize = size;
    return { done: this.#finish({ batches, wal: number, size }, newest) };
  }

  /** Ends when the marker is durable. Nothing is synced any more. */
  async close(): Promise<void> {
    this.stop();
    await this.#markerSync;
    await this.#parts.marker.sync();
  }

  /** Begins nothing more by itself. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** A sync of the marker that is under way. */
  async settled(): Promise<void> {
    await this.#markerSync;
  }

  async #finish(extent: Extent, newest: Promise<void>): Promise<number> {
    await newest;
    await this.#parts.wals.syncUpTo(extent.wal);
    const { wal, size } = this.#extent;
    this.#extent = extent;
    // Before anybody is told: whatever becomes of this process, the next one knows what was promised.
    await this.#parts.marker.writeExtent(extent);
    this.#timer ??= setTimeout(() => this.#syncMarker(), MARKER_SYNC_MS).unref();
    return extent.wal === wal ? extent.size - size : extent.size;
  }

  #syncMarker(): void {
    const { marker, onMarkerFailure } = this.#parts;
    this.#markerSync = marker
      .sync()
      .catch(onMarkerFailure)
      .finally(() => {
        this.#markerSync = null;
      });
    this.#timer = null;
  }
}
