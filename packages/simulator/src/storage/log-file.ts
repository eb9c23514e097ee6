import type { LogId } from "@seshat/common";
import type { IoCompletion, MaybePromise } from "@seshat/storage";
import type { LogPosition } from "./control-file.js";
import { LOG_START } from "./control-file.js";
import { RecordWriter, SEGMENT_HEADER_BYTES, encodeHeader, segmentFile } from "./log-format.js";
import { andThen } from "./maybe-promise.js";
import type { ActiveSegment } from "./recover-log.js";
import type { StoreDisk } from "./store-disk.js";

/**
 * The end of a log, where it grows: the segment that is written to, and what in it is not durable yet. A segment is begun only
 * once the one before is durable as a whole, so that only the last one can have a torn tail.
 */
export class LogFile {
  readonly #store: StoreDisk;
  readonly #segmentBytes: number;
  #active: ActiveSegment | null;
  /** Of the last segment that there was. */
  #number: number;
  #durable: LogPosition = LOG_START;
  /** Who waits for what was written so far to be durable. */
  readonly #waiting: IoCompletion[] = [];
  #syncing = false;
  /** How much of the active segment is written. */
  #written: number;
  /**
   * What comes after that. Nothing is written while a sync is under way: if that fails, what it was for is lost, and nothing whole may stand after
   * it, or nobody could say any more that it was not damaged.
   */
  readonly #unwritten: Uint8Array[] = [];

  /** @param number of the last segment that there was. */
  constructor(store: StoreDisk, segmentBytes: number, active: ActiveSegment | null, number: number) {
    this.#store = store;
    this.#segmentBytes = segmentBytes;
    this.#active = active;
    this.#number = number;
    this.#written = active?.length ?? 0;
  }

  /** Of the last segment that there was. */
  get number(): number {
    return this.#number;
  }

  /** How far the log is durable. */
  get durable(): LogPosition {
    return this.#durable;
  }

  /**
   * Makes durable what was found in the last segment. It is written again first: where a sync failed in the life before, what can be read
   * may be nowhere but in memory, and the disk believes otherwise.
   */
  async settle(): Promise<void> {
    if (this.#active === null) return;
    const file = segmentFile(this.#active.number);
    const bytes = await this.#store.disk.read(file, 0, this.#active.length);
    await this.#store.write("read log", file, 0, bytes);
    await this.#syncActive();
  }

  /** Where to write what comes next, in a new segment when it is time for one. @param last the entry with which the log ends. */
  begin(last: LogId): MaybePromise<RecordWriter> {
    const active = this.#active;
    const isFull = active === null || active.length >= this.#segmentBytes;
    return andThen(isFull ? this.#rotate(last) : active, ({ number, length, checksum }) => {
      return new RecordWriter(number, length, checksum);
    });
  }

  /** Adds what was put together since {@link begin}. It can be read, and is written with the next sync. */
  add(writer: RecordWriter): void {
    const active = this.#active as ActiveSegment;
    const bytes = writer.finish();
    this.#unwritten.push(bytes);
    active.length += bytes.length;
    active.checksum = writer.checksum;
  }

  /** True when what stands at this place has to be read from the disk. */
  isWritten({ segment, offset }: LogPosition): boolean {
    return segment !== this.#active?.number || offset < this.#written;
  }

  /** Reads what stands side by side, all of it written or nothing of it. */
  read(place: LogPosition, length: number): MaybePromise<Uint8Array> {
    if (this.isWritten(place)) return this.#store.disk.read(segmentFile(place.segment), place.offset, length);
    const from = place.offset - this.#written;
    return joined(this.#unwritten).subarray(from, from + length);
  }

  /** Calls back once everything that was written so far is durable: one sync serves all that wait. */
  whenDurable(completion: IoCompletion): void {
    this.#waiting.push(completion);
    if (!this.#syncing) void this.#syncAll();
  }

  /** @returns once everything that was written so far is durable. */
  sync(): Promise<void> {
    if (this.#active === null || this.#isDurable(this.#active)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.whenDurable((error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** Removes the segments from `first` on up to before `next`, all of which are of no use any more. */
  async drop(first: number, next: number): Promise<void> {
    if (this.#active !== null && this.#active.number < next) this.#active = null;
    for (let number = first; number < next; number++) await this.#store.removeIfThere(segmentFile(number));
  }

  /** Syncs until nobody waits: whoever comes while a sync is under way is served by the next one. */
  async #syncAll(): Promise<void> {
    this.#syncing = true;
    while (this.#waiting.length > 0) {
      const served = this.#waiting.splice(0);
      let failure: Error | null = null;
      try {
        this.#store.check("append");
        await this.#syncActive();
      } catch (thrown) {
        failure = this.#store.fail("append", thrown);
      }
      for (const completion of served) completion(failure);
    }
    this.#syncing = false;
  }

  async #syncActive(): Promise<void> {
    const active = this.#active;
    if (active === null || this.#isDurable(active)) return;
    const file = segmentFile(active.number);
    const pieces = this.#unwritten.length;
    const bytes = joined(this.#unwritten);
    const offset = this.#written + bytes.length;
    if (pieces > 0) await this.#store.write("append", file, this.#written, bytes);
    this.#unwritten.splice(0, pieces);
    this.#written = offset;
    await this.#store.sync("append", file, offset);
    this.#durable = { segment: active.number, offset };
  }

  async #rotate(previous: LogId): Promise<ActiveSegment> {
    await this.sync();
    const number = this.#number + 1;
    const file = segmentFile(number);
    const header = encodeHeader({ number, previous });
    await this.#store.write("append", file, 0, header.bytes);
    await this.#store.sync("append", file, SEGMENT_HEADER_BYTES);
    await this.#store.disk.syncDirectory();
    this.#number = number;
    this.#written = SEGMENT_HEADER_BYTES;
    const active = { number, length: SEGMENT_HEADER_BYTES, checksum: header.checksum };
    this.#active = active;
    return active;
  }

  #isDurable({ number, length }: ActiveSegment): boolean {
    return this.#durable.segment === number && this.#durable.offset === length;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
