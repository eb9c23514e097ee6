import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";
import type { StoreIo } from "../io/store-io.js";

/*
 *   segment = header, zeros up to byte 512, records
 *   header  = "SSJL", version u8 = 1, salt u32, sequence u64, checksum u32
 *
 * Integers are big-endian, the checksum is the CRC-32 of what stands before it. The salt is random: what other files held before, and a file
 * system may show again after a power failure, are no records of this segment. What was never written is zeros.
 */
const MAGIC = 0x5353_4a4c;
const VERSION = 1;
const HEADER_BYTES = 21;
/** Where the records begin. */
export const RECORDS_AT = 512;
/** Written, and synced, at a time: what others sync meanwhile does not wait for long. */
const ZEROS = new Uint8Array(1_048_576);

const NAME = /^segment-(\d{12})$/;
const UNFINISHED = "unfinished";

/** A file of the journal that is open to be written. */
export interface Segment {
  readonly path: string;
  readonly sequence: number;
  readonly salt: number;
  readonly fd: number;
  /** Up to where it was made: beyond, a write makes it longer, and takes longer. */
  readonly size: number;
}

/** The sequences of the segments in a directory, ascending. */
export async function listSegments(dir: string): Promise<number[]> {
  const sequences = (await readdir(dir)).flatMap((name) => {
    const [, digits] = NAME.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return sequences.sort((a, b) => a - b);
}

export function segmentPath(dir: string, sequence: number): string {
  return join(dir, `segment-${String(sequence).padStart(12, "0")}`);
}

/**
 * Makes a segment. Its length and its name are durable when it ends, so that to write into it changes nothing but its content: a file that grows
 * has the file system write its own records as well.
 */
export async function createSegment(
  dir: string,
  sequence: number,
  size: number,
  io: StoreIo,
): Promise<Segment> {
  const unfinished = join(dir, UNFINISHED);
  const salt = randomBytes(4).readUInt32BE();
  const path = segmentPath(dir, sequence);
  const fd = await io.open(unfinished, "w+");
  try {
    await io.write(fd, encodeHeader(sequence, salt), 0, unfinished);
    for (let at = HEADER_BYTES; at < size; at += ZEROS.length) {
      await io.write(fd, ZEROS.subarray(0, size - at), at, unfinished);
      await io.datasync(fd, unfinished);
    }
  } finally {
    await io.close(fd);
  }
  await io.rename(unfinished, path);
  await io.syncDirectory(dir);
  return { path, sequence, salt, fd: await io.openDurable(path), size };
}

/**
 * Removes all segments for good, and what was not finished. Those that come last go first: whatever comes between, what is left has no hole.
 * What else is there is not ours: a disk of its own has a `lost+found`.
 */
export async function removeSegments(dir: string, io: StoreIo): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name === UNFINISHED || NAME.test(name));
  for (const name of names.toSorted().reverse()) await io.unlink(join(dir, name));
  await io.syncDirectory(dir);
}

/** The salt of a segment. @throws {CodecError} when the bytes do not begin with the header of the segment with this number. */
export function readSalt(bytes: Uint8Array, sequence: number): number {
  const reader = new ByteReader("segment of the journal", bytes);
  if (reader.u32() !== MAGIC) throw reader.error("this is no segment");
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  const salt = reader.u32();
  const found = reader.u64();
  if (reader.u32() !== crc32(bytes.subarray(0, HEADER_BYTES - 4))) {
    throw new CodecError("segment of the journal", 0, "the checksum does not match");
  }
  if (found !== sequence) throw reader.error(`this is segment ${found}`);
  return salt;
}

function encodeHeader(sequence: number, salt: number): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES).u32(MAGIC).u8(VERSION).u32(salt).u64(sequence);
  return writer.u32(crc32(writer.written())).finish();
}
