import { LatencyHistogram } from "@seshat/common";

/** What the lane has done, since the store was opened. */
export interface LaneMetrics {
  /** How long one write to the journal took until it was durable, in milliseconds. */
  readonly syncLatency: LatencyHistogram;
  /** Batches, each a record of the journal. One serves all writes of a turn. */
  readonly batches: number;
  /** Bytes of keys and values written, without what RocksDB adds. */
  readonly bytesWritten: number;
  /** Bytes that were written to the journal. */
  readonly bytesSynced: number;
  /** Bytes that stand in the journal, because the database does not have them in its tables yet. */
  readonly journalBytes: number;
  /** Batches and writes to the journal that took longer than `stallMs`. */
  readonly stalls: number;
  /** Bytes of writes that the database does not have yet. */
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

  metrics(journalBytes: number): LaneMetrics {
    return {
      journalBytes,
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

  recorded(): void {
    this.#batches += 1;
  }

  /** @param startedAt as `performance.now()` tells. */
  batchWritten(bytes: number, startedAt: number): void {
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
