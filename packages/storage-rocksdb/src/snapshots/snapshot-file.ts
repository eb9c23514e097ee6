import { crc32 } from "node:zlib";
import type { RaftTypeConfig, SnapshotMeta } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import { UnusableStoreError, messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { StateRecords } from "../records/state-records.js";
import { FileSnapshotData } from "./file-snapshot-data.js";

/*
 *   file   = header, meta, content
 *   header = "SSSN", version u8 = 1, length of the meta u32, size of the content u64, checksum of the content u32,
 *            checksum of the meta u32, checksum of the header so far u32
 *
 * Integers are big-endian, checksums are CRC-32. The header is written last.
 */
const FORMAT = "snapshot file";
const MAGIC = 0x5353_534e;
const VERSION = 1;
const HEADER_BYTES = 29;
/** A meta is not larger than a membership is: more than this is damage. */
const MAX_META_BYTES = 16_777_216;

/** A snapshot in a file. */
export interface FileSnapshot<C extends RaftTypeConfig> {
  readonly meta: SnapshotMeta<C["Node"]>;
  readonly data: FileSnapshotData;
}

/** Writes a snapshot into a new file, from its beginning to its end. One call at a time. */
export class SnapshotFileWriter<C extends RaftTypeConfig> {
  readonly path: string;
  readonly meta: SnapshotMeta<C["Node"]>;
  readonly #io: StoreIo;
  readonly #fd: number;
  readonly #encodedMeta: Uint8Array;
  #size = 0;
  #checksum = 0;
  #over = false;

  private constructor(
    io: StoreIo,
    fd: number,
    path: string,
    meta: SnapshotMeta<C["Node"]>,
    encodedMeta: Uint8Array,
  ) {
    this.#io = io;
    this.#fd = fd;
    this.path = path;
    this.meta = meta;
    this.#encodedMeta = encodedMeta;
  }

  static async create<C extends RaftTypeConfig>(
    io: StoreIo,
    path: string,
    meta: SnapshotMeta<C["Node"]>,
    records: StateRecords<C>,
  ): Promise<SnapshotFileWriter<C>> {
    const encodedMeta = records.encodeMeta(meta);
    const fd = await io.open(path, "wx+");
    return new SnapshotFileWriter<C>(io, fd, path, meta, encodedMeta);
  }

  /** How many bytes of the content were written. */
  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const at = this.#contentStart + this.#size;
    this.#checksum = crc32(chunk, this.#checksum);
    this.#size += chunk.length;
    await this.#io.write(this.#fd, chunk, at, this.path);
  }

  /** Everything was written. It is not durable yet. */
  async finish(): Promise<FileSnapshotData> {
    const header = new ByteWriter(HEADER_BYTES).u32(MAGIC).u8(VERSION).u32(this.#encodedMeta.length);
    header.u64(this.#size).u32(this.#checksum).u32(crc32(this.#encodedMeta));
    header.u32(crc32(header.finish())).raw(this.#encodedMeta);
    await this.#io.write(this.#fd, header.finish(), 0, this.path);
    this.#over = true;
    return new FileSnapshotData(this.#io, this.#fd, this.path, this.#contentStart, this.#size);
  }

  /** Nothing of it is wanted any more. What was finished stays open for its holder, and loses its name. */
  async discard(): Promise<void> {
    if (!this.#over) {
      this.#over = true;
      await this.#io.close(this.#fd);
    }
    await this.#io.unlink(this.path);
  }

  get #contentStart(): number {
    return HEADER_BYTES + this.#encodedMeta.length;
  }
}

/**
 * Opens the file of a snapshot and reads all of it once.
 *
 * @throws {UnusableStoreError} when it is not what was written.
 */
export async function openSnapshotFile<C extends RaftTypeConfig>(
  io: StoreIo,
  path: string,
  records: StateRecords<C>,
): Promise<FileSnapshot<C>> {
  const fd = await io.open(path, "r");
  let data: FileSnapshotData | null = null;
  try {
    const start = await take(io, fd, 0, HEADER_BYTES);
    const { metaBytes, size, checksum, metaChecksum } = readHeader(start);
    const encodedMeta = await take(io, fd, HEADER_BYTES, metaBytes);
    if (crc32(encodedMeta) !== metaChecksum) {
      throw new CodecError(FORMAT, HEADER_BYTES, "the checksum of the meta does not match");
    }
    const meta = records.decodeMeta(encodedMeta);
    const contentStart = HEADER_BYTES + metaBytes;
    data = new FileSnapshotData(io, fd, path, contentStart, size);
    let found = 0;
    for await (const chunk of data.read(0)) found = crc32(chunk, found);
    if (found !== checksum) {
      throw new CodecError(FORMAT, contentStart, "the checksum of the content does not match");
    }
    return { meta, data };
  } catch (cause) {
    // Once there is a content, the file is its own to close: closed twice, the second time may hit a file that got the same number since.
    await (data === null ? io.close(fd) : data.close());
    throw new UnusableStoreError("damaged", path, messageOf(cause), { cause });
  }
}

function readHeader(bytes: Uint8Array): {
  readonly metaBytes: number;
  readonly size: number;
  readonly checksum: number;
  readonly metaChecksum: number;
} {
  const reader = new ByteReader(FORMAT, bytes);
  if (reader.u32() !== MAGIC) throw reader.error("it does not begin like one");
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  const header = {
    metaBytes: reader.u32(),
    size: reader.u64(),
    checksum: reader.u32(),
    metaChecksum: reader.u32(),
  };
  if (reader.u32() !== crc32(bytes.subarray(0, HEADER_BYTES - 4)) || header.metaBytes > MAX_META_BYTES) {
    throw reader.error("the checksum of the header does not match");
  }
  return header;
}

async function take(io: StoreIo, fd: number, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const found = await io.read(fd, bytes, at);
  if (found < length) throw new CodecError(FORMAT, at + found, `${length} bytes expected, ${found} left`);
  return bytes;
}
