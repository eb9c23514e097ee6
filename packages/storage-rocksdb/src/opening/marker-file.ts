import { readFile } from "node:fs/promises";
import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";
import { UnusableStoreError, messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";

/*
 *   marker = header, zeros, slot at byte 512, zeros, slot at byte 1024
 *   header = "SSRK", version u8 = 2, kind u8, begun u8, checksum u32
 *   slot   = number u64 of the last record of the journal that is durable, checksum u32
 *
 * Integers are big-endian, checksums are CRC-32 of what stands before them. The slots are written in turn, so that one of them is always
 * whole. They are synced behind the journal, and after a power failure may say less than is durable: records say it too.
 */
const MAGIC = 0x5353_524b;
const VERSION = 2;
const SLOTS_AT: readonly number[] = [512, 1024];
const MARKER_BYTES = 1536;
const HEADER_BYTES = 11;
const SLOT_BYTES = 12;

/** Where the data of the state machine are kept. */
export type StoreKind = "memory" | "keyValue";
const KINDS: readonly StoreKind[] = ["memory", "keyValue"];

/** What a marker says. */
export interface Marker {
  readonly kind: StoreKind;
  /** False until the database was made: then it is no longer made where it is missing. */
  readonly begun: boolean;
  /** The number of the last record of the journal that was durable; 0 when there was none. */
  readonly durable: number;
}

/**
 * The file that makes a directory a store: version of the format, kind of the store, and how much of its journal is durable.
 */
export class MarkerFile {
  readonly #path: string;
  readonly #io: StoreIo;
  readonly #fd: number;
  readonly #kind: StoreKind;
  #nextSlot = 0;

  private constructor(path: string, io: StoreIo, fd: number, kind: StoreKind) {
    this.#path = path;
    this.#io = io;
    this.#fd = fd;
    this.#kind = kind;
  }

  static async open(path: string, kind: StoreKind, io: StoreIo): Promise<MarkerFile> {
    return new MarkerFile(path, io, await io.open(path, "r+"), kind);
  }

  /** Writes down that the records up to `durable` are, not synced. */
  async write(durable: number): Promise<void> {
    const at = SLOTS_AT[this.#nextSlot] as number;
    this.#nextSlot = 1 - this.#nextSlot;
    await this.#io.writeNow(this.#fd, encodeSlot(durable), at, this.#path);
  }

  /** From now on the database has to be there. Durable when it ends. */
  async begin(): Promise<void> {
    await this.#io.write(this.#fd, encodeHeader(this.#kind, true), 0, this.#path);
    await this.sync();
  }

  async sync(): Promise<void> {
    await this.#io.datasync(this.#fd, this.#path);
  }

  async close(): Promise<void> {
    await this.#io.close(this.#fd);
  }
}

/** Writes the marker of a new store. Durable but for its name. */
export async function createMarker(path: string, kind: StoreKind, io: StoreIo): Promise<void> {
  const bytes = new Uint8Array(MARKER_BYTES);
  bytes.set(encodeHeader(kind, false));
  for (const at of SLOTS_AT) bytes.set(encodeSlot(0), at);
  const fd = await io.open(path, "wx+");
  try {
    await io.write(fd, bytes, 0, path);
    await io.datasync(fd, path);
  } finally {
    await io.close(fd);
  }
}

/**
 * @returns null when there is none.
 * @throws {UnusableStoreError} when it is damaged, of another version, or no marker at all.
 */
export async function readMarker(path: string): Promise<Marker | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new UnusableStoreError("io", path, messageOf(cause), { cause });
  }
  try {
    return decodeMarker(path, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new UnusableStoreError("damaged", path, cause.message, { cause });
  }
}

function decodeMarker(path: string, bytes: Uint8Array): Marker {
  const reader = new ByteReader("marker", bytes);
  if (reader.u32() !== MAGIC)
    throw new UnusableStoreError("unknown", path, "this is not the marker of a store");
  const version = reader.u8();
  if (version !== VERSION) {
    const problem = `version ${version} of the format is unknown; this is version ${VERSION}`;
    throw new UnusableStoreError("unknown", path, problem);
  }
  const kind = KINDS[reader.u8()];
  const begun = reader.u8() === 1;
  if (kind === undefined || reader.u32() !== crc32(bytes.subarray(0, HEADER_BYTES - 4))) {
    throw reader.error("the checksum does not match");
  }
  const slots = SLOTS_AT.flatMap((at) => decodeSlot(bytes.subarray(at, at + SLOT_BYTES)) ?? []);
  if (slots.length === 0) throw reader.error("neither of the two slots is whole");
  return { kind, begun, durable: Math.max(...slots) };
}

function encodeHeader(kind: StoreKind, begun: boolean): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES);
  writer
    .u32(MAGIC)
    .u8(VERSION)
    .u8(KINDS.indexOf(kind))
    .u8(begun ? 1 : 0);
  return writer.u32(crc32(writer.finish())).finish();
}

function encodeSlot(durable: number): Uint8Array {
  const writer = new ByteWriter(SLOT_BYTES).u64(durable);
  return writer.u32(crc32(writer.written())).finish();
}

function decodeSlot(slot: Uint8Array): number | null {
  if (slot.length < SLOT_BYTES) return null;
  const checksum = new ByteReader("marker", slot.subarray(SLOT_BYTES - 4)).u32();
  if (checksum !== crc32(slot.subarray(0, SLOT_BYTES - 4))) return null;
  return new ByteReader("marker", slot).u64();
}
