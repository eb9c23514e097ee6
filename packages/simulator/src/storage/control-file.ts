import type { LogId, StorageVerb, StoreIdentity, Vote } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";
import { DamagedFileError } from "./damaged-file-error.js";

/*
 *   control file = "SSCF", version u8 = 1, kind u8, payload, checksum u32
 *   identity     = cluster id (length u32, UTF-8), node id u64, incarnation u64
 *   vote         = term u64, voted for u64 (0: nobody), committed u8, durable
 *   purged       = term u64, index u64, first segment u64, durable
 *   committed    = term u64, index u64, durable
 *   durable      = segment u64, offset u64
 *
 * Integers are big-endian. The checksum is the CRC-32 of everything before it.
 */
const MAGIC = 0x53534346;
const VERSION = 1;
const CHECKSUM_BYTES = 4;

/** A place in the log: a byte of a segment. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/** True when `a` is before `b`. */
export function isBefore(a: LogPosition, b: LogPosition): boolean {
  return a.segment === b.segment ? a.offset < b.offset : a.segment < b.segment;
}

/** The place before the first log. */
export const LOG_START: LogPosition = Object.freeze({ segment: 0, offset: 0 });

/** What is said together with where the log was known to be durable when it was said: it can have become no shorter. */
export interface Stamped<T> {
  readonly value: T;
  readonly durable: LogPosition;
}

/** The last entry purged, and the segment in which the log goes on. What is before is of no use any more. */
export interface PurgeMark {
  readonly logId: LogId;
  readonly firstSegment: number;
}

/** How one kind of control file is written and read. */
export interface ControlFormat<T> {
  readonly file: string;
  readonly kind: number;
  readonly write: (writer: ByteWriter, value: T) => void;
  readonly read: (reader: ByteReader) => T;
}

export const IDENTITY: ControlFormat<StoreIdentity> = {
  file: "identity",
  kind: 1,
  write: (writer, { clusterId, nodeId, incarnation }) => {
    writer.bytes(new TextEncoder().encode(clusterId)).u64(nodeId).u64(incarnation);
  },
  read: (reader) => ({
    clusterId: new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes()),
    nodeId: reader.u64(),
    incarnation: reader.u64(),
  }),
};

export const VOTE: ControlFormat<Stamped<Vote>> = {
  file: "vote",
  kind: 2,
  write: (writer, { value: { term, votedFor, committed }, durable }) => {
    writer
      .u64(term)
      .u64(votedFor ?? 0)
      .u8(committed ? 1 : 0);
    writePosition(writer, durable);
  },
  read: (reader) => {
    const term = reader.u64();
    const votedFor = reader.u64();
    const committed = reader.u8() === 1;
    return {
      value: { term, votedFor: votedFor === 0 ? null : votedFor, committed },
      durable: readPosition(reader),
    };
  },
};

export const PURGED: ControlFormat<Stamped<PurgeMark>> = {
  file: "purged",
  kind: 3,
  write: (writer, { value: { logId, firstSegment }, durable }) => {
    writer.u64(logId.term).u64(logId.index).u64(firstSegment);
    writePosition(writer, durable);
  },
  read: (reader) => {
    const logId = readLogId(reader);
    const firstSegment = reader.u64();
    return { value: { logId, firstSegment }, durable: readPosition(reader) };
  },
};

export const COMMITTED: ControlFormat<Stamped<LogId>> = {
  file: "committed",
  kind: 4,
  write: (writer, { value: { term, index }, durable }) => {
    writer.u64(term).u64(index);
    writePosition(writer, durable);
  },
  read: (reader) => ({ value: readLogId(reader), durable: readPosition(reader) }),
};

/** The content of a control file. */
export function encodeControl<T>({ kind, write }: ControlFormat<T>, value: T): Uint8Array {
  const writer = new ByteWriter(96).u32(MAGIC).u8(VERSION).u8(kind);
  write(writer, value);
  return writer.u32(crc32(writer.written())).finish();
}

/** @throws {DamagedFileError} when the bytes are not what {@link encodeControl} gives. */
export function decodeControl<T>(verb: StorageVerb, format: ControlFormat<T>, bytes: Uint8Array): T {
  const { file, kind, read } = format;
  const damaged = (offset: number, problem: string): DamagedFileError =>
    new DamagedFileError(verb, file, offset, problem);
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < 0) throw damaged(0, `only ${bytes.length} bytes`);
  const content = bytes.subarray(0, end);
  const reader = new ByteReader(file, content);
  try {
    if (new ByteReader(file, bytes.subarray(end)).u32() !== crc32(content))
      throw damaged(0, "the checksum is wrong");
    if (reader.u32() !== MAGIC || reader.u8() !== VERSION)
      throw damaged(0, "another format, or another version of it");
    if (reader.u8() !== kind) throw damaged(5, `it is no ${file} file`);
    const value = read(reader);
    reader.end();
    return value;
  } catch (thrown) {
    if (thrown instanceof CodecError) throw damaged(thrown.offset, thrown.message);
    throw thrown;
  }
}

function readLogId(reader: ByteReader): LogId {
  const term = reader.u64();
  return { term, index: reader.u64() };
}

function writePosition(writer: ByteWriter, { segment, offset }: LogPosition): void {
  writer.u64(segment).u64(offset);
}

function readPosition(reader: ByteReader): LogPosition {
  const segment = reader.u64();
  return { segment, offset: reader.u64() };
}
