import type { EntryPayload, LogEntry, LogId, Membership, RaftTypeConfig, SnapshotMeta } from "@seshat/common";
import { BLANK_PAYLOAD, EMPTY_MEMBERSHIP, createMembership } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { ByteCodec, StoreCodec } from "./codec.js";
import { jsonCodec } from "./codec.js";

/*
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

  constructor({ command, node = jsonCodec<C["Node"]>() }: StoreCodec<C>) {
    this.#command = command;
    this.#node = node;
  }

  writeEntry(writer: ByteWriter, { logId, payload }: Entry<C>): void {
    writer.u64(logId.term).u64(logId.index);
    switch (payload.type) {
      case "blank":
        writer.u8(0);
        return;
      case "normal": {
        const { session } = payload;
        if (session === undefined) writer.u8(1);
        else writer.u8(2).u64(session.sessionId).u64(session.sequence).u64(session.answeredBelow);
        writer.raw(this.#command.encode(payload.data));
        return;
      }
      case "openSession":
        writer.u8(3).u64(payload.expiresAfter);
        return;
      case "membership":
        writer.u8(4);
        this.#writeMembership(writer, payload.membership);
    }
  }

  /** @throws when the bytes are not what {@link writeEntry} wrote. */
  readEntry(bytes: Uint8Array): Entry<C> {
    const reader = new ByteReader("entry", bytes);
    const logId = readLogId(reader);
    const payload = this.#readPayload(reader);
    reader.end();
    return { logId, payload };
  }

  encodeMeta({ lastLogId, lastMembership, snapshotId }: SnapshotMeta<C["Node"]>): Uint8Array {
    const writer = new ByteWriter(256);
    writer.u64(lastLogId.term).u64(lastLogId.index);
    writer.u64(lastMembership.logId.term).u64(lastMembership.logId.index);
    this.#writeMembership(writer, lastMembership.membership);
    return writer.bytes(new TextEncoder().encode(snapshotId)).finish();
  }

  /** @throws when the bytes are not what {@link encodeMeta} gives. */
  decodeMeta(bytes: Uint8Array): SnapshotMeta<C["Node"]> {
    const reader = new ByteReader("snapshot meta", bytes);
    const lastLogId = readLogId(reader);
    const logId = readLogId(reader);
    const membership = this.#readMembership(reader);
    const snapshotId = new TextDecoder("utf-8", { fatal: true }).decode(reader.bytes());
    reader.end();
    return { lastLogId, lastMembership: { logId, membership }, snapshotId };
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

function readLogId(reader: ByteReader): LogId {
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
