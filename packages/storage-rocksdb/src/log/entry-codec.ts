import type {
  EntryPayload,
  LogEntry,
  LogId,
  Membership,
  RaftTypeConfig,
  SnapshotMeta,
  StoredMembership,
} from "@seshat/common";
import { BLANK_PAYLOAD, EMPTY_MEMBERSHIP, createMembership } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { AppliedState } from "@seshat/storage";
import type { ByteCodec, StoreCodec } from "../codec.js";
import { jsonCodec } from "../codec.js";

/*
 *   block       = version u8 = 1, count u32 (at least 1), (term u64, length u32, entry) * count
 *   entry       = type u8, body
 *   body        = 0 blank: nothing
 *               | 1 command: bytes
 *               | 2 command of a session: session u64, sequence u64, answered below u64, bytes
 *               | 3 opening of a session: expires after u64
 *               | 4 membership
 *   membership  = count u8 (0: of no cluster), ids * count, nodes, leaving: ids, incarnations
 *   ids         = count u32, u64 * count
 *   nodes       = count u32, (id u64, length u32, description) * count
 *   incarnations= count u32, (id u64, incarnation u64) * count
 *   applied     = version u8 = 1, log id, log id of the membership, membership
 *   meta        = version u8 = 1, log id, log id of the membership, membership, snapshot id (length u32, UTF-8)
 *   log id      = term u64, index u64
 *
 * Integers are big-endian. Indexes are not in a block: the key says the first, and the others follow.
 */
const VERSION = 1;
const BLOCK_HEADER_BYTES = 5;
const ENTRY_HEADER_BYTES = 12;

/** An entry that is encoded, and what has to be known of it without decoding it. */
export interface EncodedEntry {
  readonly term: number;
  readonly bytes: Uint8Array;
}

/** Writes and reads what an application's log and snapshots are made of. */
export class EntryCodec<C extends RaftTypeConfig> {
  readonly #command: ByteCodec<C["D"]>;
  readonly #node: ByteCodec<C["Node"]>;

  constructor({ command, node = jsonCodec<C["Node"]>() }: StoreCodec<C>) {
    this.#command = command;
    this.#node = node;
  }

  encodeEntry({ logId, payload }: LogEntry<C["D"], C["Node"]>): EncodedEntry {
    return { term: logId.term, bytes: this.#encodePayload(payload) };
  }

  /** @throws when the bytes are not what {@link encodeEntry} gave. */
  decodeEntry(index: number, { term, bytes }: EncodedEntry): C["Entry"] {
    const reader = new ByteReader("entry", bytes);
    const payload = this.#readPayload(reader);
    reader.end();
    return { logId: { term, index }, payload };
  }

  encodeApplied({ lastAppliedLogId, lastMembership }: AppliedState<C["Node"]>): Uint8Array {
    const writer = new ByteWriter(256).u8(VERSION);
    writeLogId(writer, lastAppliedLogId);
    this.#writeStoredMembership(writer, lastMembership);
    return writer.finish();
  }

  decodeApplied(bytes: Uint8Array): AppliedState<C["Node"]> {
    const reader = versioned("applied state", bytes);
    const applied = {
      lastAppliedLogId: readLogId(reader),
      lastMembership: this.#readStoredMembership(reader),
    };
    reader.end();
    return applied;
  }

  encodeMeta({ lastLogId, lastMembership, snapshotId }: SnapshotMeta<C["Node"]>): Uint8Array {
    const writer = new ByteWriter(256).u8(VERSION);
    writeLogId(writer, lastLogId);
    this.#writeStoredMembership(writer, lastMembership);
    return writer.bytes(new TextEncoder().encode(snapshotId)).finish();
  }

  /** @throws when the bytes are not what {@link encodeMeta} gives. */
  decodeMeta(bytes: Uint8Array): SnapshotMeta<C["Node"]> {
    const reader = versioned("snapshot meta", bytes);
    const lastLogId = readLogId(reader);
    const lastMembership = this.#readStoredMembership(reader);
    const snapshotId = new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes());
    reader.end();
    return { lastLogId, lastMembership, snapshotId };
  }

  #encodePayload(payload: EntryPayload<C["D"], C["Node"]>): Uint8Array {
    switch (payload.type) {
      case "blank":
        return Uint8Array.of(0);
      case "normal": {
        const { session } = payload;
        const command = this.#command.encode(payload.data);
        if (session === undefined) {
          const bytes = new Uint8Array(1 + command.length);
          bytes[0] = 1;
          bytes.set(command, 1);
          return bytes;
        }
        const writer = new ByteWriter(25 + command.length).u8(2);
        writer.u64(session.sessionId).u64(session.sequence).u64(session.answeredBelow);
        return writer.raw(command).finish();
      }
      case "openSession":
        return new ByteWriter(9).u8(3).u64(payload.expiresAfter).finish();
      case "membership": {
        const writer = new ByteWriter(256).u8(4);
        this.#writeMembership(writer, payload.membership);
        return writer.finish();
      }
      default:
        return payload satisfies never;
    }
  }

  #readPayload(reader: ByteReader): EntryPayload<C["D"], C["Node"]> {
    const type = reader.u8();
    switch (type) {
      case 0:
        return BLANK_PAYLOAD;
      case 1:
        return { type: "normal", data: this.#command.decode(reader.raw(reader.remaining)) };
      case 2: {
        const session = { sessionId: reader.u64(), sequence: reader.u64(), answeredBelow: reader.u64() };
        return { type: "normal", data: this.#command.decode(reader.raw(reader.remaining)), session };
      }
      case 3:
        return { type: "openSession", expiresAfter: reader.u64() };
      case 4:
        return { type: "membership", membership: this.#readMembership(reader) };
      default:
        throw reader.error(`an entry of type ${type}`);
    }
  }

  #writeStoredMembership(writer: ByteWriter, stored: StoredMembership<C["Node"]>): void {
    writeLogId(writer, stored.logId);
    this.#writeMembership(writer, stored.membership);
  }

  #readStoredMembership(reader: ByteReader): StoredMembership<C["Node"]> {
    return { logId: readLogId(reader), membership: this.#readMembership(reader) };
  }

  #writeMembership(writer: ByteWriter, membership: Membership<C["Node"]>): void {
    const { configs, nodes, leaving, incarnations } = membership;
    writer.u8(configs.length);
    for (const config of configs) writeIds(writer, config);
    writer.u32(nodes.size);
    for (const [id, node] of nodes) writer.u64(id).bytes(this.#node.encode(node));
    writeIds(writer, leaving);
    writer.u32(incarnations.size);
    for (const [id, incarnation] of incarnations) writer.u64(id).u64(incarnation);
  }

  #readMembership(reader: ByteReader): Membership<C["Node"]> {
    const configs = readMany(reader.u8(), () => readIds(reader));
    const nodes = readMany(reader.u32(), (): [number, C["Node"]] => [
      reader.u64(),
      this.#node.decode(reader.bytes()),
    ]);
    const leaving = readIds(reader);
    const incarnations = readMany(reader.u32(), (): [number, number] => [reader.u64(), reader.u64()]);
    if (configs.length === 0) return EMPTY_MEMBERSHIP;
    return createMembership(configs, nodes, { leaving, incarnations });
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

function writeLogId(writer: ByteWriter, { term, index }: LogId): void {
  writer.u64(term).u64(index);
}

function readLogId(reader: ByteReader): LogId {
  return { term: reader.u64(), index: reader.u64() };
}

function writeIds(writer: ByteWriter, ids: readonly number[]): void {
  writer.u32(ids.length);
  for (const id of ids) writer.u64(id);
}

function readIds(reader: ByteReader): number[] {
  return readMany(reader.u32(), () => reader.u64());
}

/** A count that is too high ends at the end of the bytes. */
function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}
