import { LatencyHistogram } from "@seshat/common";

/** What the lane has done, since the store was opened. */
export interface LaneMetrics {
  /** How long one sync of the WAL took, in milliseconds. */
  readonly syncLatency: LatencyHistogram;
  /** Batches written. One serves all writes that waited. */
  readonly batches: number;
  /** Bytes of keys and values written, without what RocksDB adds. */
  readonly bytesWritten: number;
  /** Bytes of WAL files that were synced. */
  readonly bytesSynced: number;
  /** Batches and syncs that took longer than `stallMs`. */
  readonly stalls: number;
  /** Bytes of writes that are queued or being written. */
  readonly queuedBytes: number;
}

/** Counts what a lane does. */
export class LaneCounts {
  readonly #stallMs: number;
  readonly #syncLatency = new LatencyHistogram();
  #batches = 0;
  #bytes = 0;
  #synced = 0;
  #stalls = 0;
  #queuedBytes = 0;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  metrics(): LaneMetrics {
    return {
      syncLatency: this.#syncLatency,
      batches: this.#batches,
      bytesWritten: this.#bytes,
      bytesSynced: this.#synced,
      stalls: this.#stalls,
      queuedBytes: this.#queuedBytes,
    };
  }

  queued(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  /** @param startedAt as `performance.now()` tells. */
  batchWritten(bytes: number, startedAt: number): void {
    this.#batches += 1;
    this.#bytes += bytes;
    this.#queuedBytes -= bytes;
    this.#noticeStall(startedAt);
  }

  /** @param startedAt as `performance.now()` tells. */
  synced(bytes: number, startedAt: number): void {
    this.#synced += bytes;
    this.#syncLatency.record(performance.now() - startedAt);
    this.#noticeStall(startedAt);
  }

  #noticeStall(startedAt: number): void {
    if (performance.now() - startedAt > this.#stallMs) this.#stalls += 1;
  }
}
