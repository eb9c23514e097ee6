import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";

/*
 *   snapshot = header, block*, footer
 *   header   = "SSSN", version u8 = 1, meta (length u32, bytes), checksum u32
 *   block    = content (16 KiB, the last one shorter), checksum u32
 *   footer   = content size u64, checksum of the header u32, checksum u32
 *
 * Integers are big-endian, checksums are CRC-32 of everything before them in the part; that of a block goes on from the checksum of the header plus
 * its number, so that no block passes for another.
 */
const MAGIC = 0x5353534e;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** What has to be read to know how long the header is. */
export const LEAD_BYTES = 9;

/** How much content stands in one block. */
export const BLOCK_BYTES: number = 16 * 1024;

export const FOOTER_BYTES = 16;

export interface SnapshotHeader {
  readonly meta: Uint8Array;
  readonly checksum: number;
  /** Of the header, in bytes. */
  readonly length: number;
}

export function encodeSnapshotHeader(meta: Uint8Array): { bytes: Uint8Array; checksum: number } {
  const writer = new ByteWriter(LEAD_BYTES + meta.length + CHECKSUM_BYTES).u32(MAGIC).u8(VERSION).bytes(meta);
  const checksum = crc32(writer.finish());
  return { bytes: writer.u32(checksum).finish(), checksum };
}

/** How long a header is that begins with these bytes, if it is one; all of them, if that cannot be said. */
export function snapshotHeaderBytes(lead: Uint8Array): number {
  if (lead.length < LEAD_BYTES) return lead.length;
  return LEAD_BYTES + new ByteReader("snapshot", lead.subarray(LEAD_BYTES - 4)).u32() + CHECKSUM_BYTES;
}

/** The header at the beginning of a snapshot; null when there is none. */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | null {
  if (bytes.length < LEAD_BYTES) return null;
  const reader = new ByteReader("snapshot", bytes);
  if (reader.u32() !== MAGIC || reader.u8() !== VERSION) return null;
  const end = LEAD_BYTES + reader.u32();
  if (end + CHECKSUM_BYTES > bytes.length) return null;
  const checksum = crc32(bytes.subarray(0, end));
  const meta = reader.raw(end - LEAD_BYTES);
  return reader.u32() === checksum ? { meta, checksum, length: end + CHECKSUM_BYTES } : null;
}

export function encodeBlock(content: Uint8Array, number: number, header: number): Uint8Array {
  const checksum = blockChecksum(content, number, header);
  return new ByteWriter(content.length + CHECKSUM_BYTES).raw(content).u32(checksum).finish();
}

/** The content of a block; null when it is another block, or damaged. */
export function decodeBlock(bytes: Uint8Array, number: number, header: number): Uint8Array | null {
  if (bytes.length < CHECKSUM_BYTES) return null;
  const content = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
  const checksum = new ByteReader("block", bytes.subarray(content.length)).u32();
  return checksum === blockChecksum(content, number, header) ? content : null;
}

/** Where a block begins, from the end of the header on. */
export function blockOffset(number: number): number {
  return number * (BLOCK_BYTES + CHECKSUM_BYTES);
}

/** How many bytes the blocks of a content take. */
export function blocksBytes(size: number): number {
  return size + Math.ceil(size / BLOCK_BYTES) * CHECKSUM_BYTES;
}

export function encodeFooter(size: number, header: number): Uint8Array {
  const writer = new ByteWriter(FOOTER_BYTES).u64(size).u32(header);
  return writer.u32(crc32(writer.finish())).finish();
}

/** The size of the content; null when it is no footer, or that of another snapshot. */
export function decodeFooter(bytes: Uint8Array, header: number): number | null {
  if (bytes.length !== FOOTER_BYTES) return null;
  const end = FOOTER_BYTES - CHECKSUM_BYTES;
  const reader = new ByteReader("footer", bytes);
  if (new ByteReader("footer", bytes.subarray(end)).u32() !== crc32(bytes.subarray(0, end))) return null;
  const size = reader.u64();
  return reader.u32() === header ? size : null;
}

function blockChecksum(content: Uint8Array, number: number, header: number): number {
  return crc32(content, (header + number) >>> 0);
}
