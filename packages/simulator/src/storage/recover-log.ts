import { equalLogIds, formatLogId } from "@seshat/common";
import type { LogPosition, PurgeMark } from "./control-file.js";
import { isBefore } from "./control-file.js";
import { DamagedFileError } from "./damaged-file-error.js";
import { EntryIndex } from "./entry-index.js";
import type { LogRecord, RecordPlace } from "./log-format.js";
import {
  ENTRY_RECORD,
  SEGMENT_HEADER_BYTES,
  decodeHeader,
  decodeLogId,
  encodeSeal,
  hasSeal,
  readRecord,
  sealOffset,
  segmentFile,
  segmentNumber,
} from "./log-format.js";
import type { StoreDisk } from "./store-disk.js";

/** The segment that the log goes on in. */
export interface ActiveSegment {
  readonly number: number;
  /** In bytes. */
  length: number;
  /** What the next record follows on. */
  checksum: number;
}

/** What a disk holds of a log. */
export interface RecoveredLog {
  readonly index: EntryIndex;
  /** Null when the log has no segment. */
  readonly active: ActiveSegment | null;
}

/**
 * Reads a log and makes it whole: what a crash left of writes that nobody counted on is cut off.
 *
 * @param purged what is gone from it.
 * @param durable how far it was durable for certain.
 * @throws {DamagedFileError} when something is missing that was durable, or may have been.
 */
export async function recoverLog(
  store: StoreDisk,
  purged: PurgeMark,
  durable: LogPosition,
): Promise<RecoveredLog> {
  const numbers: number[] = [];
  for (const file of await store.disk.list()) {
    const number = segmentNumber(file);
    if (number === null) continue;
    if (number < purged.firstSegment) await store.disk.remove(file);
    else numbers.push(number);
  }
  const recovery = new Recovery(store, purged);
  for (const [i, number] of numbers.entries()) {
    if (number !== purged.firstSegment + i) {
      throw new DamagedFileError(
        "read log",
        segmentFile(purged.firstSegment + i),
        0,
        "there is no such file",
      );
    }
    await recovery.segment(number, i === numbers.length - 1);
  }
  return recovery.finish(durable);
}

class Recovery {
  readonly #store: StoreDisk;
  readonly #purged: PurgeMark;
  #index: EntryIndex | null = null;
  #active: ActiveSegment | null = null;

  constructor(store: StoreDisk, purged: PurgeMark) {
    this.#store = store;
    this.#purged = purged;
  }

  async segment(number: number, isLast: boolean): Promise<void> {
    const file = segmentFile(number);
    const bytes = (await this.#store.readWhole(file)) as Uint8Array;
    const decoded = decodeHeader(bytes);
    if (decoded === null) {
      // Nothing is written after a header before that is durable.
      if (!isLast || bytes.length > SEGMENT_HEADER_BYTES) {
        throw new DamagedFileError("read log", file, 0, "it has no header");
      }
      // It was just being begun. That it exists says that all before it was durable, so nothing was cut from there.
      await this.#store.disk.remove(file);
      return;
    }
    const { header, checksum } = decoded;
    if (header.number !== number)
      throw new DamagedFileError("read log", file, 0, `it is segment ${header.number}`);
    this.#index ??= new EntryIndex(header.previous);
    if (!equalLogIds(header.previous, this.#index.lastLogId)) {
      const problem = `it follows on ${formatLogId(header.previous)}, but the log before it ends at ${formatLogId(this.#index.lastLogId)}`;
      throw new DamagedFileError("read log", file, 0, problem);
    }
    this.#active = { number, length: SEGMENT_HEADER_BYTES, checksum };
    await this.#records(file, bytes, this.#active, isLast);
  }

  async finish(durable: LogPosition): Promise<RecoveredLog> {
    const active = this.#active;
    const { logId, firstSegment } = this.#purged;
    const end: LogPosition =
      active === null
        ? { segment: firstSegment, offset: 0 }
        : { segment: active.number, offset: active.length };
    const file = segmentFile(end.segment);
    if (isBefore(end, durable)) {
      const problem = `the log ends there, but was durable up to byte ${durable.offset} of ${segmentFile(durable.segment)}`;
      throw new DamagedFileError("read log", file, end.offset, problem);
    }
    const index = this.#index ?? new EntryIndex(logId);
    const { before, lastLogId } = index;
    const there = index.logIdAt(logId.index);
    if (before.index > logId.index || there === undefined || there.term !== logId.term) {
      const problem = `it holds what follows on ${formatLogId(before)} up to ${formatLogId(lastLogId)}, but the log begins after ${formatLogId(logId)}`;
      throw new DamagedFileError("read log", file, 0, problem);
    }
    index.beginAfter(logId);
    return { index, active };
  }

  async #records(file: string, bytes: Uint8Array, active: ActiveSegment, isLast: boolean): Promise<void> {
    while (active.length < bytes.length) {
      const place = { segment: active.number, offset: active.length };
      const rest = bytes.subarray(place.offset);
      const record = readRecord(rest, place, active.checksum);
      if (record?.sealed !== true) {
        const end = record?.length ?? 0;
        const isTail = !hasSeal(rest.subarray(end), { segment: active.number, offset: place.offset + end });
        if (!isLast || !isTail)
          throw new DamagedFileError("read log", file, place.offset, "a record that cannot be read");
        await this.#cut(file, place, record);
        if (record === null) return;
      }
      this.#replay(file, place, record);
      active.length += record.length;
      active.checksum = record.checksum;
      if (!record.sealed) return;
    }
  }

  /** Cuts off what a crash left of the last writes, all but a record that is whole: it lacks only its seal, which gets written again. */
  async #cut(file: string, place: RecordPlace, record: LogRecord | null): Promise<void> {
    const { disk } = this.#store;
    if (record === null) return disk.truncate(file, place.offset);
    const end = sealOffset(place, record);
    await disk.truncate(file, end);
    await this.#store.write("read log", file, end, encodeSeal(place.segment, place.offset));
  }

  #replay(file: string, { segment, offset }: RecordPlace, { kind, payload, length }: LogRecord): void {
    const index = this.#index as EntryIndex;
    const last = index.lastLogId;
    const logId = decodeLogId(payload);
    if (kind === ENTRY_RECORD) {
      if (logId.index !== last.index + 1 || logId.term < last.term) {
        const problem = `entry ${formatLogId(logId)} does not follow on ${formatLogId(last)}`;
        throw new DamagedFileError("read log", file, offset, problem);
      }
      index.push({ term: logId.term, segment, offset, length });
      return;
    }
    const isBeforeAll = logId.index < index.before.index;
    if (!isBeforeAll && index.logIdAt(logId.index)?.term !== logId.term) {
      const problem = `it says that the log was cut after ${formatLogId(logId)}, which it does not hold`;
      throw new DamagedFileError("read log", file, offset, problem);
    }
    index.endWith(logId);
  }
}
