import { ByteReader } from "../binary/byte-reader.js";
import { ByteWriter } from "../binary/byte-writer.js";
import type { EntryPayload, LogEntry, SessionCommand } from "../log-entry.js";
import { BLANK_PAYLOAD } from "../log-entry.js";
import type { LogId } from "../log-id.js";
import type { Membership, StoredMembership } from "../membership.js";
import { EMPTY_MEMBERSHIP, createMembership } from "../membership.js";
import type { RaftTypeConfig } from "../raft-type-config.js";
import type { SnapshotMeta } from "../snapshot.js";
import type { ByteCodec, TypeCodec } from "./byte-codec.js";
import { jsonCodec } from "./byte-codec.js";

/*
 *   entries     = (length u32, entry), one after the other
 *   entry       = log id, type u8, body
 *   log id      = term u64, index u64
 *   body        = 0 blank: nothing
 *               | 1 command: bytes
 *               | 2 command of a session: session u64, sequence u64, answered below u64, bytes
 *               | 3 opening of a session: expires after u64
 *               | 4 membership
 *   membership  = count u8 (0: of no cluster), ids * count, nodes, leaving: ids, incarnations
 *   ids         = count u32, u64 * count
 *   nodes       = count u32, (id u64, length u32, description) * count
 *   incarnations= count u32, (id u64, incarnation u64) * count
 *   meta        = log id, log id of the membership, membership, snapshot id (length u32, UTF-8)
 */

type Entry<C extends RaftTypeConfig> = LogEntry<C["D"], C["Node"]>;

/** Writes and reads what an application's log and snapshots are made of. */
export class EntryCodec<C extends RaftTypeConfig> {
  readonly #command: ByteCodec<C["D"]>;
  readonly #node: ByteCodec<C["Node"]>;

  constructor({ command, node = jsonCodec<C["Node"]>() }: TypeCodec<C>) {
    this.#command = command;
    this.#node = node;
  }

  writeEntry(writer: ByteWriter, { logId, payload }: Entry<C>): void {
    this.writePayload(writeLogId(writer, logId), payload);
  }

  /** Writes the type and the body of an entry: what is left of it where its log id stands elsewhere. */
  writePayload(writer: ByteWriter, payload: EntryPayload<C["D"], C["Node"]>): void {
    switch (payload.type) {
      case "blank":
        writer.u8(0);
        return;
      case "normal":
        writeCommand(writer, payload.session, this.#command.encode(payload.data));
        return;
      case "openSession":
        writer.u8(3).u64(payload.expiresAfter);
        return;
      case "membership":
        this.#writeMembership(writer.u8(MEMBERSHIP), payload.membership);
    }
  }

  /** The result has no memory in common with `bytes`. @throws when the bytes are not what {@link writeEntry} wrote. */
  readEntry(bytes: Uint8Array): Entry<C> {
    // Of a Node.js Buffer `slice` would share the memory.
    const reader = new ByteReader("entry", Uint8Array.prototype.slice.call(bytes));
    return this.#readEntry(reader, bytes.length);
  }

  /** Writes any number of entries, into memory of just the length that they take. */
  encodeEntries(entries: readonly Entry<C>[]): Uint8Array {
    const bodies = new Array<Uint8Array>(entries.length);
    let size = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry<C>;
      const body = this.#encodeBody(entry);
      bodies[i] = body;
      size += LENGTH_BYTES + headLength(entry.payload) + body.length;
    }
    const writer = new ByteWriter(size);
    for (let i = 0; i < entries.length; i++)
      writeBody(writer, entries[i] as Entry<C>, bodies[i] as Uint8Array);
    return writer.written();
  }

  /** Writes the length of an entry, and the entry: {@link decodeEntries} reads any number of them. */
  writeSized(writer: ByteWriter, entry: Entry<C>): void {
    writeBody(writer, entry, this.#encodeBody(entry));
  }

  /** What of an entry is written as it stands: its command, or all of it. */
  #encodeBody(entry: Entry<C>): Uint8Array {
    if (entry.payload.type === "normal") return this.#command.encode(entry.payload.data);
    const writer = new ByteWriter();
    this.writeEntry(writer, entry);
    return writer.finish();
  }

  /**
   * Reads entries. Their commands are decoded from parts of `bytes`, which must not change any more.
   *
   * @throws when the bytes are not what {@link encodeEntries} or {@link writeSized} gives.
   */
  decodeEntries(bytes: Uint8Array): Entry<C>[] {
    const reader = new ByteReader("entries", bytes);
    const entries: Entry<C>[] = [];
    while (reader.remaining > 0) {
      const length = reader.u32();
      if (length > reader.remaining) {
        throw reader.error(`an entry of ${length} bytes, of which ${reader.remaining} are left`);
      }
      entries.push(this.#readEntry(reader, reader.offset + length));
    }
    return entries;
  }

  /**
   * Finds the memberships among entries of consecutive indexes, of which nothing else is decoded.
   *
   * @param first the index of the first entry.
   * @param found what is found is added to it.
   * @returns how many entries there are.
   * @throws when the bytes are not what {@link encodeEntries} or {@link writeSized} gives for such entries.
   */
  findMemberships(bytes: Uint8Array, first: number, found: StoredMembership<C["Node"]>[]): number {
    const reader = new ByteReader("entries", bytes);
    let index = first;
    for (; reader.remaining > 0; index++) {
      const length = reader.u32();
      if (length < PLAIN_HEAD || length > reader.remaining) {
        throw reader.error(`an entry of ${length} bytes, of which ${reader.remaining} are left`);
      }
      const end = reader.offset + length;
      const logId = readLogId(reader);
      if (logId.index !== index) throw reader.error(`entry ${logId.index} where ${index} has to be`);
      const type = reader.u8();
      if (type > MEMBERSHIP) throw reader.error(`an entry of type ${type}`);
      if (type === MEMBERSHIP) found.push({ logId, membership: this.#readMembership(reader) });
      else reader.view(end - reader.offset);
      if (reader.offset !== end) throw reader.error(`an entry that ends at offset ${end}`);
    }
    return index - first;
  }

  encodeMeta({ lastLogId, lastMembership, snapshotId }: SnapshotMeta<C["Node"]>): Uint8Array {
    const writer = new ByteWriter(256);
    writeLogId(writer, lastLogId);
    this.writeStoredMembership(writer, lastMembership);
    return writer.bytes(new TextEncoder().encode(snapshotId)).finish();
  }

  /** @throws when the bytes are not what {@link encodeMeta} gives. */
  decodeMeta(bytes: Uint8Array): SnapshotMeta<C["Node"]> {
    const reader = new ByteReader("snapshot meta", bytes);
    const lastLogId = readLogId(reader);
    const lastMembership = this.readStoredMembership(reader);
    const snapshotId = new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes());
    reader.end();
    return { lastLogId, lastMembership, snapshotId };
  }

  writeStoredMembership(writer: ByteWriter, { logId, membership }: StoredMembership<C["Node"]>): void {
    this.#writeMembership(writeLogId(writer, logId), membership);
  }

  readStoredMembership(reader: ByteReader): StoredMembership<C["Node"]> {
    return { logId: readLogId(reader), membership: this.#readMembership(reader) };
  }

  /** An entry that ends at offset `end`. */
  #readEntry(reader: ByteReader, end: number): Entry<C> {
    const logId = readLogId(reader);
    return { logId, payload: this.readPayload(reader, end) };
  }

  /** Reads what {@link writePayload} wrote up to offset `end`. A command is decoded from a part of the reader's bytes. */
  readPayload(reader: ByteReader, end: number): EntryPayload<C["D"], C["Node"]> {
    const payload = this.#readPayload(reader, end);
    if (reader.offset !== end) throw reader.error(`an entry that ends at offset ${end}`);
    return payload;
  }

  #readPayload(reader: ByteReader, end: number): EntryPayload<C["D"], C["Node"]> {
    const type = reader.u8();
    switch (type) {
      case 0:
        return BLANK_PAYLOAD;
      case 1:
        return { type: "normal", data: this.#readCommand(reader, end) };
      case 2: {
        const session = { sessionId: reader.u64(), sequence: reader.u64(), answeredBelow: reader.u64() };
        return { type: "normal", data: this.#readCommand(reader, end), session };
      }
      case 3:
        return { type: "openSession", expiresAfter: reader.u64() };
      case MEMBERSHIP:
        return { type: "membership", membership: this.#readMembership(reader) };
      default:
        throw reader.error(`an entry of type ${type}`);
    }
  }

  #readCommand(reader: ByteReader, end: number): C["D"] {
    if (end < reader.offset) throw reader.error(`an entry that ends at offset ${end}`);
    return this.#command.decode(reader.view(end - reader.offset));
  }

  #writeMembership(
    writer: ByteWriter,
    { configs, nodes, leaving, incarnations }: Membership<C["Node"]>,
  ): void {
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

/** Bytes of an entry before what it carries: its log id and its type. A blank one has no more. */
const PLAIN_HEAD = 17;
/** The same, of a session. */
const SESSION_HEAD = PLAIN_HEAD + 24;

/** The type of an entry with a membership. */
const MEMBERSHIP = 4;

/** Of what stands before each entry. */
const LENGTH_BYTES = 4;

/** Writes the length of an entry, and the entry. @param body its command, or all of an entry that has none. */
function writeBody(
  writer: ByteWriter,
  { logId, payload }: LogEntry<unknown, unknown>,
  body: Uint8Array,
): void {
  writer.u32(headLength(payload) + body.length);
  if (payload.type === "normal") writeCommand(writeLogId(writer, logId), payload.session, body);
  else writer.raw(body);
}

/** How many bytes stand before the command; none where there is no command. */
function headLength(payload: EntryPayload<unknown, unknown>): number {
  if (payload.type !== "normal") return 0;
  return payload.session === undefined ? PLAIN_HEAD : SESSION_HEAD;
}

/** A term and an index, as u64 each. */
export function writeLogId(writer: ByteWriter, { term, index }: LogId): ByteWriter {
  return writer.u64(term).u64(index);
}

function writeCommand(writer: ByteWriter, session: SessionCommand | undefined, command: Uint8Array): void {
  if (session === undefined) writer.u8(1);
  else writer.u8(2).u64(session.sessionId).u64(session.sequence).u64(session.answeredBelow);
  writer.raw(command);
}

/** What {@link writeLogId} wrote. */
export function readLogId(reader: ByteReader): LogId {
  const term = reader.u64();
  return { term, index: reader.u64() };
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
