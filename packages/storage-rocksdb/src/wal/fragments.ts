import { crc32c } from "./crc32c.js";

/*
 * What RocksDB writes into a WAL file (its wiki: "Write Ahead Log File Format"), integers little-endian:
 *
 *   file     = block of 32 KiB, block, ...
 *   block    = fragment, fragment, ..., up to 6 zeros where no header fits
 *   fragment = checksum u32, length u16, type u8, payload
 *   type     = 1 all of a batch | 2 its beginning | 3 its middle | 4 its end
 *   batch    = sequence u64, count u32, operations
 *
 * The checksum is the masked CRC-32C of type and payload. Each operation of a batch takes one sequence number.
 */
const BLOCK_BYTES = 32_768;
export const HEADER_BYTES = 7;
export const ALL = 1;
export const BEGINNING = 2;
export const MIDDLE = 3;
export const END = 4;

/** Where the payload of a fragment begins and ends. */
export interface Fragment {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Where the block ends that holds byte `at`. */
export function blockAfter(at: number): number {
  return Math.floor(at / BLOCK_BYTES + 1) * BLOCK_BYTES;
}

/** Where the next fragment is that may begin at `at`. */
export function skipPadding(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES);
  return left < HEADER_BYTES ? at + left : at;
}

/** The fragment at `at`; or what is wrong with it. */
export function readFragment(bytes: Uint8Array, at: number): Fragment | string {
  if (at + HEADER_BYTES > bytes.length) return `the file ends within a header`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint8(at + 6);
  const start = at + HEADER_BYTES;
  const end = start + view.getUint16(at + 4, true);
  if (end > blockAfter(at)) return "a fragment that reaches past its block";
  if (end > bytes.length) return `the file ends ${end - bytes.length} bytes too early`;
  if (unmask(view.getUint32(at, true)) !== crc32c(bytes, start - 1, end))
    return "the checksum does not match";
  return { type, start, end };
}

/** The CRC-32C that a masked one stands for. */
export function unmask(masked: number): number {
  const rotated = (masked - 0xa282_ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
