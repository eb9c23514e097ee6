import { crc32 } from "node:zlib";
import type { Fill } from "./operations.js";
import { OperationWriter } from "./operations.js";
import type { Piece } from "./record-memory.js";
import { RecordMemory } from "./record-memory.js";

/*
 *   record = header, operations, mark u8 = 0xe5, zeros up to a multiple of 32 bytes
 *   header = checksum u32 of the rest of the header, checksum u32 of the operations, their length u32, zero sectors u32,
 *            number u64, durable u64
 *
 * Integers are big-endian, checksums are CRC-32; that of a header begins with the salt of its segment. A header lies within one sector
 * of a disk, so it is there or it is not. `zero sectors` counts the sectors within the record that are zeros and have to be: any other one was never
 * written, because segments are zeros before. `durable` is the number of the last record that was durable when this one was written.
 */
export const HEADER_BYTES = 32;
const ALIGNMENT = 32;
const MARK = 0xe5;
const SECTOR_BYTES = 512;
/** What stands before the rest of a header. */
const CHECKSUM_BYTES = 4;

/** Where a record has to stand before its memory is used again. */
type Place = "journal" | "tables";

/** One batch of operations on its way into the journal, and into the tables. */
export class JournalRecord {
  /** Records are numbered one after the other, from 1 on, for as long as the store lives. */
  readonly number: number;
  /** How many bytes it takes in a segment. */
  readonly size: number;
  readonly #length: number;
  readonly #memory: RecordMemory;
  readonly #piece: Piece;
  /** Null once the memory may be another's. */
  #bytes: Buffer<ArrayBuffer> | null;
  #place: Place | null = null;

  /** Runs each of `fills` once, in order. @param memory where it stands until {@link stands}. */
  constructor(number: number, fills: readonly Fill[], memory: RecordMemory = new RecordMemory()) {
    const operations = new OperationWriter(memory, HEADER_BYTES);
    for (const fill of fills) fill(operations);
    const { length } = operations;
    const size = recordBytes(length - HEADER_BYTES);
    memory.reserve(size, length);
    const bytes = memory.bytes.subarray(memory.start, memory.start + size);
    bytes.fill(0, length);
    bytes[length] = MARK;
    this.number = number;
    this.size = size;
    this.#length = length - HEADER_BYTES;
    this.#memory = memory;
    this.#piece = memory.take(size);
    this.#bytes = bytes;
  }

  /** They may be read until the tables have them. */
  get operations(): Uint8Array {
    const { buffer, byteOffset } = this.#held();
    // No `Buffer`: its parts take longer to make.
    return new Uint8Array(buffer, byteOffset + HEADER_BYTES, this.#length);
  }

  /** The record as it is to stand at byte `at` of a segment. It may be read until the journal has it. */
  sealed(at: number, salt: number, durable: number): Uint8Array {
    const bytes = this.#held();
    bytes.writeUInt32BE(crc32(this.operations), 4);
    bytes.writeUInt32BE(this.#length, 8);
    bytes.writeUInt32BE(zeroSectors(bytes, at), 12);
    writeU64(bytes, this.number, 16);
    writeU64(bytes, durable, 24);
    bytes.writeUInt32BE(headerChecksum(bytes, salt), 0);
    return bytes;
  }

  /**
   * The record stands there, and nothing reads it any more on its way there. Once it stands at both, its memory is used again. Of a record that did not get
   * there that is never said: who failed, or was given up, may still be reading.
   */
  stands(place: Place): void {
    this.#held();
    if (this.#place === null) {
      this.#place = place;
    } else if (this.#place !== place) {
      this.#bytes = null;
      this.#memory.release(this.#piece);
    }
  }

  #held(): Buffer<ArrayBuffer> {
    if (this.#bytes === null)
      throw new Error(`record ${this.number} is written, its memory may be another's`);
    return this.#bytes;
  }
}

/** What the header of a record says. */
export interface RecordHeader {
  readonly number: number;
  readonly durable: number;
  /** Where it stands, where its operations end, and where the next record may begin. */
  readonly at: number;
  readonly operationsEnd: number;
  readonly end: number;
  readonly checksum: number;
  readonly zeroSectors: number;
}

/** The header at byte `at` of a segment; null where there is none. */
export function readHeader(bytes: Buffer, at: number, salt: number): RecordHeader | null {
  if (at + HEADER_BYTES > bytes.length) return null;
  const header = bytes.subarray(at, at + HEADER_BYTES);
  if (headerChecksum(header, salt) !== header.readUInt32BE(0)) return null;
  const length = header.readUInt32BE(8);
  return {
    number: readU64(header, 16),
    durable: readU64(header, 24),
    at,
    operationsEnd: at + HEADER_BYTES + length,
    end: at + recordBytes(length),
    checksum: header.readUInt32BE(4),
    zeroSectors: header.readUInt32BE(12),
  };
}

/** The operations of a record; null where they are not what was written. */
export function readOperations(bytes: Buffer, header: RecordHeader): Uint8Array | null {
  const { at, operationsEnd, end, checksum } = header;
  if (end > bytes.length || bytes[operationsEnd] !== MARK) return null;
  if (!isZeros(bytes, operationsEnd + 1, end)) return null;
  const operations = bytes.subarray(at + HEADER_BYTES, operationsEnd);
  return crc32(operations) === checksum ? operations : null;
}

/**
 * Whether a record whose operations cannot be read looks like what a power failure leaves of one that was never durable: a whole sector of it was
 * never written, or the segment ends before.
 */
export function looksUnwritten(bytes: Buffer, { at, end, zeroSectors: written }: RecordHeader): boolean {
  if (end > bytes.length) return true;
  const lastSector = end - 1 - ((end - 1) % SECTOR_BYTES);
  // The mark is in it: it is never zeros.
  if (lastSector > at && isZeros(bytes, lastSector, end)) return true;
  return zeroSectors(bytes.subarray(at, end), at) > written;
}

export function isZeros(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** How many whole sectors of a record that stands at `at` are zeros. */
function zeroSectors(record: Uint8Array, at: number): number {
  let count = 0;
  for (
    let from = SECTOR_BYTES - (at % SECTOR_BYTES);
    from + SECTOR_BYTES <= record.length;
    from += SECTOR_BYTES
  ) {
    if (record[from] === 0 && isZeros(record, from, from + SECTOR_BYTES)) count += 1;
  }
  return count;
}

function recordBytes(length: number): number {
  return Math.ceil((HEADER_BYTES + length + 1) / ALIGNMENT) * ALIGNMENT;
}

function headerChecksum(header: Uint8Array, salt: number): number {
  return crc32(header.subarray(CHECKSUM_BYTES, HEADER_BYTES), salt);
}

function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}
