import type { StoreIo } from "../io/store-io.js";
import type { JournalRecord } from "./record.js";
import type { Segment } from "./segment.js";
import { RECORDS_AT, createSegment } from "./segment.js";

/** The first segment of a life is small: many a store is opened and has little to write. */
const FIRST_BYTES = 1_048_576;
const MAX_SEGMENT_BYTES = 16_777_216;

/** A segment that is full, and what it holds. */
interface FullSegment {
  readonly path: string;
  readonly bytes: number;
  /** The number of its last record. */
  readonly last: number;
}

/**
 * The write-ahead log of a store: what is to be in the database stands here first, and one call to the system writes it and makes it durable. A segment
 * goes when the database has all of it in its tables.
 */
export class Journal {
  readonly #dir: string;
  readonly #io: StoreIo;
  readonly #segmentBytes: number;
  #segment: Segment;
  #at = RECORDS_AT;
  #last = 0;
  readonly #full: FullSegment[] = [];
  #fullBytes = 0;
  /** The segment that comes next, once more than half of this one is written. */
  #next: Promise<Segment> | null = null;

  private constructor(dir: string, io: StoreIo, segmentBytes: number, segment: Segment) {
    this.#dir = dir;
    this.#io = io;
    this.#segmentBytes = segmentBytes;
    this.#segment = segment;
  }

  /**
   * Begins with an empty segment. The directory is synced.
   *
   * @param sequence a number that no segment had before.
   * @param maxBytes about how much a segment holds, 16 MiB at most.
   */
  static async begin(dir: string, sequence: number, maxBytes: number, io: StoreIo): Promise<Journal> {
    const segmentBytes = Math.min(maxBytes, MAX_SEGMENT_BYTES);
    const segment = await createSegment(dir, sequence, Math.min(segmentBytes, FIRST_BYTES), io);
    return new Journal(dir, io, segmentBytes, segment);
  }

  /** Bytes of records that still stand in it. */
  get bytes(): number {
    return this.#fullBytes + this.#at - RECORDS_AT;
  }

  /**
   * Ends when the records are durable, all of them or as many as stood there when the power failed. One call at a time.
   *
   * @param durable the number of the last record that is durable already.
   * @returns how many bytes were written.
   */
  async append(records: readonly JournalRecord[], durable: number): Promise<number> {
    let size = 0;
    for (const record of records) size += record.size;
    if (this.#at > RECORDS_AT && this.#at + size > this.#segment.size) await this.#turn();
    const { fd, salt, path } = this.#segment;
    const start = this.#at;
    const pieces = records.map((record) => {
      const piece = record.sealed(this.#at, salt, durable);
      this.#at += piece.length;
      this.#last = record.number;
      return piece;
    });
    if (this.#next === null && this.#at > this.#segment.size / 2) this.#makeNext();
    await this.#io.writeDurably(fd, pieces, start, path);
    return size;
  }

  /** Removes the segments that hold no later record than number `upto`. What a crash leaves of them does no harm. */
  async retire(upto: number): Promise<void> {
    while (this.#full.length > 0) {
      const [{ path, bytes, last }] = this.#full as [FullSegment];
      if (last > upto) return;
      this.#full.shift();
      this.#fullBytes -= bytes;
      await this.#io.unlink(path);
    }
  }

  /** Nothing can be written any more. */
  async close(): Promise<void> {
    await this.#io.close(this.#segment.fd);
    const next = await this.#next?.catch(() => null);
    if (next !== null && next !== undefined) await this.#io.close(next.fd);
  }

  async #turn(): Promise<void> {
    const { path, fd } = this.#segment;
    if (this.#next === null) this.#makeNext();
    const next = await (this.#next as unknown as Promise<Segment>);
    this.#next = null;
    const bytes = this.#at - RECORDS_AT;
    this.#full.push({ path, bytes, last: this.#last });
    this.#fullBytes += bytes;
    this.#segment = next;
    this.#at = RECORDS_AT;
    await this.#io.close(fd);
  }

  #makeNext(): void {
    this.#next = createSegment(this.#dir, this.#segment.sequence + 1, this.#segmentBytes, this.#io);
    // Whoever needs it is told.
    this.#next.catch(() => {});
  }
}
