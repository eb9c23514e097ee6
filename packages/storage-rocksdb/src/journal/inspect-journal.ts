import { readFile } from "node:fs/promises";
import { CodecError } from "@seshat/common";
import { UnusableStoreError } from "../errors.js";
import type { RecordHeader } from "./record.js";
import { HEADER_BYTES, isZeros, looksUnwritten, readHeader, readOperations } from "./record.js";
import { RECORDS_AT, listSegments, readSalt, segmentPath } from "./segment.js";

/** What was found in a journal. */
export interface JournalReport {
  /** The number of the last record that counts, in the journal or in the database. */
  readonly last: number;
  /** The sequences of the segments, ascending. */
  readonly sequences: readonly number[];
  /** How many bytes were never durable and count no more. */
  readonly cutBytes: number;
}

/** From where on nothing counts any more. */
interface Break {
  readonly path: string;
  readonly at: number;
  readonly problem: string;
  /** It looks like what a power failure leaves of a record that was never durable. */
  readonly torn: boolean;
  /** The record that has to be there; null when that cannot be told. */
  readonly number: number | null;
}

/**
 * Looks at the journal of a database that is to be opened: which records the database lacks, and whether all of those are there that were durable.
 * Changes nothing.
 *
 * @param known the last record that was durable, as the marker of the store tells.
 * @param stored the last record that the database has. Up to there nothing is asked of the journal.
 * @throws {UnusableStoreError} when something that was durable is missing or damaged, or when that cannot be told.
 */
export async function inspectJournal(dir: string, known: number, stored: number): Promise<JournalReport> {
  let durable = known;
  let last = stored;
  let cutBytes = 0;
  let broken: Break | null = null;
  /** Where the last record ends. */
  let end: Pick<Break, "path" | "at"> | null = null;
  const sequences = await listSegments(dir);
  for (const sequence of sequences) {
    const path = segmentPath(dir, sequence);
    const { bytes, salt } = await readSegment(path, sequence);
    let at = RECORDS_AT;
    end ??= { path, at };
    for (const { header, operations } of readRecords(bytes, salt)) {
      if (broken === null && header.number > stored && header.number !== last + 1) {
        const problem = `record ${last + 1} is missing: record ${header.number} follows`;
        broken = { ...end, problem, torn: end.path !== path, number: last + 1 };
      }
      durable = Math.max(durable, header.durable);
      if (broken === null && operations === null) {
        const torn = looksUnwritten(bytes, header);
        const problem = `the operations of record ${header.number} are not what was written`;
        broken = { path, at, problem, torn, number: header.number };
      }
      if (broken !== null) break;
      last = Math.max(last, header.number);
      at = header.end;
      end = { path, at };
    }
    const rest = writtenAfter(bytes, at);
    if (rest === 0) continue;
    cutBytes += rest;
    for (const header of headersAfter(bytes, at, salt)) durable = Math.max(durable, header.durable);
    const torn = isZeros(bytes, at, Math.min(at + HEADER_BYTES, bytes.length));
    broken ??= { path, at, problem: "no record begins there", torn, number: numberAfter(last, stored) };
  }
  if (durable > last) {
    const problem = `records up to ${durable} were durable, and up to ${last} they are there`;
    if (broken === null) throw new UnusableStoreError("damaged", end?.path ?? dir, problem);
    throw new UnusableStoreError(
      "damaged",
      broken.path,
      `at byte ${broken.at}: ${broken.problem}; ${problem}`,
    );
  }
  if (broken !== null && !broken.torn && (broken.number === null || broken.number > stored)) {
    const problem = `at byte ${broken.at}: ${broken.problem}, and that is not what a write leaves that was not finished`;
    throw new UnusableStoreError("damaged", broken.path, problem);
  }
  return { last, sequences, cutBytes };
}

/** Gives the operations of each record after `after`, up to `last`, in order. What was found by {@link inspectJournal} is there. */
export async function* recordsToRedo(
  dir: string,
  { sequences, last }: JournalReport,
  after: number,
): AsyncGenerator<{ readonly number: number; readonly operations: Uint8Array }> {
  let next = after + 1;
  for (const sequence of sequences) {
    if (next > last) return;
    const { bytes, salt } = await readSegment(segmentPath(dir, sequence), sequence);
    for (const { header, operations } of readRecords(bytes, salt)) {
      if (operations === null) break;
      if (header.number !== next) continue;
      yield { number: next, operations };
      next += 1;
    }
  }
}

async function readSegment(
  path: string,
  sequence: number,
): Promise<{ readonly bytes: Buffer; readonly salt: number }> {
  const bytes = await readFile(path);
  try {
    return { bytes, salt: readSalt(bytes, sequence) };
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new UnusableStoreError("damaged", path, cause.message, { cause });
  }
}

/** The records of a segment, up to the first place where none begins; or one that is damaged, which is the last. */
function* readRecords(
  bytes: Buffer,
  salt: number,
): Generator<{ readonly header: RecordHeader; readonly operations: Uint8Array | null }> {
  for (let at = RECORDS_AT; ;) {
    const header = readHeader(bytes, at, salt);
    if (header === null) return;
    const operations = readOperations(bytes, header);
    yield { header, operations };
    if (operations === null) return;
    at = header.end;
  }
}

/** The headers that can be found from byte `from` on: what comes after a place that cannot be read. */
function* headersAfter(bytes: Buffer, from: number, salt: number): Generator<RecordHeader> {
  for (let at = from; at < bytes.length; at += HEADER_BYTES) {
    if (bytes.readUInt8(at) === 0 && isZeros(bytes, at, at + HEADER_BYTES)) continue;
    const header = readHeader(bytes, at, salt);
    if (header !== null) yield header;
  }
}

/** How many bytes were written from byte `from` on: all but the zeros at the end. */
function writtenAfter(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end > from && bytes[end - 1] === 0) end -= 1;
  return end - from;
}

/** The record that has to come next, where that can be told. */
function numberAfter(last: number, stored: number): number | null {
  return last > stored ? last + 1 : null;
}
