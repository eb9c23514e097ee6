import type { LogEntry, LogId, RaftTypeConfig, SnapshotMeta } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import { EntryCodec, readLogId, writeLogId } from "@seshat/common/codec";
import type { AppliedState } from "@seshat/storage";
import type { StoreCodec } from "../codec.js";

/*
 *   block       = version u8 = 1, count u32 (at least 1), (term u64, length u32, type and body of an entry) * count
 *   applied     = version u8 = 1, log id, log id of the membership, membership
 *   meta        = version u8 = 1, meta
 *
 * Entries, log ids, memberships and meta are those of `EntryCodec`. Indexes are not in a block: the key says the first, and the others follow.
 */
const VERSION = 1;
const BLOCK_HEADER_BYTES = 5;
const ENTRY_HEADER_BYTES = 12;

/** An entry that is encoded, and what has to be known of it without decoding it. */
export interface EncodedEntry {
  readonly term: number;
  readonly bytes: Uint8Array;
}

/** Writes and reads the values of a store. */
export class StoredValues<C extends RaftTypeConfig> {
  readonly #entries: EntryCodec<C>;

  constructor(codec: StoreCodec<C>) {
    this.#entries = new EntryCodec<C>(codec);
  }

  encodeEntry({ logId, payload }: LogEntry<C["D"], C["Node"]>): EncodedEntry {
    const writer = new ByteWriter();
    this.#entries.writePayload(writer, payload);
    return { term: logId.term, bytes: writer.finish() };
  }

  /** @throws when the bytes are not what {@link encodeEntry} gave. */
  decodeEntry(index: number, { term, bytes }: EncodedEntry): C["Entry"] {
    const payload = this.#entries.readPayload(new ByteReader("entry", bytes), bytes.length);
    return { logId: { term, index }, payload };
  }

  encodeApplied({ lastAppliedLogId, lastMembership }: AppliedState<C["Node"]>): Uint8Array {
    const writer = writeLogId(new ByteWriter(256).u8(VERSION), lastAppliedLogId);
    this.#entries.writeStoredMembership(writer, lastMembership);
    return writer.finish();
  }

  decodeApplied(bytes: Uint8Array): AppliedState<C["Node"]> {
    const reader = versioned("applied state", bytes);
    const lastAppliedLogId = readLogId(reader);
    const lastMembership = this.#entries.readStoredMembership(reader);
    reader.end();
    return { lastAppliedLogId, lastMembership };
  }

  encodeMeta(meta: SnapshotMeta<C["Node"]>): Uint8Array {
    return new ByteWriter(256).u8(VERSION).raw(this.#entries.encodeMeta(meta)).finish();
  }

  /** @throws when the bytes are not what {@link encodeMeta} gives. */
  decodeMeta(bytes: Uint8Array): SnapshotMeta<C["Node"]> {
    const reader = versioned("snapshot meta", bytes);
    return this.#entries.decodeMeta(reader.raw(reader.remaining));
  }
}

/** Puts entries that follow on each other into one block. */
export function encodeBlock(entries: readonly EncodedEntry[]): Uint8Array {
  let size = BLOCK_HEADER_BYTES;
  for (const { bytes } of entries) size += ENTRY_HEADER_BYTES + bytes.length;
  const writer = new ByteWriter(size).u8(VERSION).u32(entries.length);
  for (const { term, bytes } of entries) writer.u64(term).bytes(bytes);
  return writer.finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeBlock} gives. */
export function decodeBlock(block: Uint8Array): EncodedEntry[] {
  const reader = versioned("block of the log", block);
  const entries = readMany(reader.u32(), () => ({ term: reader.u64(), bytes: reader.bytes() }));
  reader.end();
  if (entries.length === 0) throw reader.error("a block of no entries");
  return entries;
}

export function encodeLogId(logId: LogId): Uint8Array {
  const writer = new ByteWriter(17).u8(VERSION);
  writeLogId(writer, logId);
  return writer.finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeLogId} gives. */
export function decodeLogId(bytes: Uint8Array): LogId {
  const reader = versioned("log id", bytes);
  const logId = readLogId(reader);
  reader.end();
  return logId;
}

/** A reader behind the version that all values begin with. */
export function versioned(format: string, bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(format, bytes);
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  return reader;
}

/** A count that is too high ends at the end of the bytes. */
function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}
