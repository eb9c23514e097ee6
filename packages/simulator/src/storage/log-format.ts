import type { LogId } from "@seshat/common";
import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";

/*
 *   segment = header, record*
 *   header  = "SSLG", version u8 = 1, number u64, log id of the entry before (term u64, index u64), checksum u32
 *   record  = length u32, checksum of the record before u32, kind u8, payload, checksum u32, seal
 *   seal    = offset of the record u32, checksum u32
 *   payload = of kind 1: an entry; of kind 2: the log id with which the log ends from here on
 *
 * Integers are big-endian, checksums are CRC-32: those of headers and records cover everything before them in the header or record, that of a
 * seal the number of the segment and the offset. A record follows on the checksum of the one before (of the header, for the first), so that
 * nothing left over from another time can pass for the next record. A seal can be found without what is before it: where there is one, a whole
 * record was written, whatever else can no longer be read.
 */
const MAGIC = 0x53534c47;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
const LEAD_BYTES = 9;
/** With which every record ends. */
export const SEAL_BYTES = 8;

export const SEGMENT_HEADER_BYTES = 33;

/** What a record takes beside its payload. */
const RECORD_OVERHEAD_BYTES: number = LEAD_BYTES + CHECKSUM_BYTES + SEAL_BYTES;

export const ENTRY_RECORD = 1;
export const TRUNCATE_RECORD = 2;

const FILE_NAME = /^log-(\d{12})$/;

/** The name of a segment, from 1 on. Names are in the order of numbers. */
export function segmentFile(number: number): string {
  return `log-${String(number).padStart(12, "0")}`;
}

/** The number of a segment; null when the file is none. */
export function segmentNumber(file: string): number | null {
  const [, digits] = FILE_NAME.exec(file) ?? [];
  return digits === undefined ? null : Number(digits);
}

export interface SegmentHeader {
  readonly number: number;
  /** With which entry the log ended when the segment was begun. */
  readonly previous: LogId;
}

export function encodeHeader({ number, previous }: SegmentHeader): { bytes: Uint8Array; checksum: number } {
  const writer = new ByteWriter(SEGMENT_HEADER_BYTES);
  writer.u32(MAGIC).u8(VERSION).u64(number).u64(previous.term).u64(previous.index);
  const checksum = crc32(writer.written());
  return { bytes: writer.u32(checksum).finish(), checksum };
}

/** The header at the beginning of a segment and its checksum; null when there is none. */
export function decodeHeader(bytes: Uint8Array): { header: SegmentHeader; checksum: number } | null {
  if (bytes.length < SEGMENT_HEADER_BYTES) return null;
  const end = SEGMENT_HEADER_BYTES - CHECKSUM_BYTES;
  const reader = new ByteReader("segment", bytes);
  const checksum = crc32(bytes.subarray(0, end));
  if (reader.u32() !== MAGIC || reader.u8() !== VERSION || u32At(bytes, end) !== checksum) return null;
  const number = reader.u64();
  const previous = { term: reader.u64(), index: reader.u64() };
  return { header: { number, previous }, checksum };
}

/** Appends records to a buffer, as they will stand from byte `offset` of a segment on. */
export class RecordWriter {
  readonly segment: number;
  readonly #writer = new ByteWriter(512);
  readonly #offset: number;
  #checksum: number;

  /** @param checksum of the record before, or of the header. */
  constructor(segment: number, offset: number, checksum: number) {
    this.segment = segment;
    this.#offset = offset;
    this.#checksum = checksum;
  }

  /** Of the last record. */
  get checksum(): number {
    return this.#checksum;
  }

  /** @param payload writes it. @returns where the record stands in the segment. */
  write(
    kind: number,
    payload: (writer: ByteWriter) => void,
  ): { readonly offset: number; readonly length: number } {
    const writer = this.#writer;
    const start = writer.length;
    const offset = this.#offset + start;
    payload(writer.u32(0).u32(this.#checksum).u8(kind));
    writer.patchU32(start, writer.length - start - LEAD_BYTES);
    this.#checksum = crc32(writer.written(start));
    writer.u32(this.#checksum).u32(offset).u32(sealChecksum(this.segment, offset));
    return { offset, length: writer.length - start };
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

export interface LogRecord {
  readonly kind: number;
  readonly payload: Uint8Array;
  /** What the next record follows on. */
  readonly checksum: number;
  /** Of the whole record. */
  readonly length: number;
  /** False when the record is whole but for its seal. */
  readonly sealed: boolean;
}

/** What stands at byte `offset` of a segment. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
}

/**
 * Reads one record.
 *
 * @param bytes what stands at `place` and after it.
 * @param previous what the record has to follow on; null for whatever it does.
 * @returns null when there is no whole record.
 */
export function readRecord(bytes: Uint8Array, place: RecordPlace, previous: number | null): LogRecord | null {
  if (bytes.length < LEAD_BYTES + CHECKSUM_BYTES) return null;
  const payloadLength = u32At(bytes, 0);
  const end = LEAD_BYTES + payloadLength;
  if (end + CHECKSUM_BYTES > bytes.length) return null;
  const checksum = crc32(bytes.subarray(0, end));
  if (u32At(bytes, end) !== checksum) return null;
  if (previous !== null && u32At(bytes, 4) !== previous) return null;
  return {
    kind: bytes[8] as number,
    payload: bytes.subarray(LEAD_BYTES, end),
    checksum,
    length: payloadLength + RECORD_OVERHEAD_BYTES,
    sealed: isSeal(bytes, end + CHECKSUM_BYTES, place.segment, place.offset),
  };
}

/** What every payload begins with. */
export function decodeLogId(payload: Uint8Array): LogId {
  const reader = new ByteReader("log record", payload);
  const term = reader.u64();
  return { term, index: reader.u64() };
}

export function writeLogId(writer: ByteWriter, { term, index }: LogId): void {
  writer.u64(term).u64(index);
}

export function encodeSeal(segment: number, offset: number): Uint8Array {
  return new ByteWriter(SEAL_BYTES).u32(offset).u32(sealChecksum(segment, offset)).finish();
}

/** Where a record is that begins before its seal. */
export function sealOffset(place: RecordPlace, { length }: LogRecord): number {
  return place.offset + length - SEAL_BYTES;
}

/** True when a whole record was written somewhere in `bytes`, which stand at `place`. */
export function hasSeal(bytes: Uint8Array, place: RecordPlace): boolean {
  for (let at = 0; at + SEAL_BYTES <= bytes.length; at++) {
    const offset = u32At(bytes, at);
    // A seal stands after its record, so most of what cannot be one is passed by without a checksum.
    const isPossible = offset >= place.offset && offset < place.offset + at;
    if (isPossible && isSeal(bytes, at, place.segment, offset)) return true;
  }
  return false;
}

function isSeal(bytes: Uint8Array, at: number, segment: number, offset: number): boolean {
  if (at + SEAL_BYTES > bytes.length) return false;
  return u32At(bytes, at) === offset && u32At(bytes, at + 4) === sealChecksum(segment, offset);
}

function sealChecksum(segment: number, offset: number): number {
  return crc32(new ByteWriter(12).u64(segment).u32(offset).written());
}

function u32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
