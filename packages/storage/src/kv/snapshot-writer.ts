import { ByteWriter, crc32 } from "@seshat/common/binary";
import { fromByteString } from "./byte-string.js";
import type { ShardedMap } from "./sharded-map.js";
import {
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_MAGIC,
  SNAPSHOT_VERSION,
} from "./snapshot-format.js";

/** Writes `entries`, which must not change meanwhile, as the format in `snapshot-format.ts` has it. */
export function* writeSnapshot(entries: ShardedMap): Generator<Uint8Array> {
  const chunks = new ChunkWriter();
  chunks.raw(snapshotHeader(entries.size));
  // The plain sort compares UTF-16 units, which here are bytes.
  for (const key of entries.orderedKeys()) {
    const value = entries.get(key) as Uint8Array;
    chunks.u32(key.length).byteString(key).u32(value.length).raw(value);
    if (chunks.hasFull) yield* chunks.takeFull();
  }
  chunks.u32(chunks.checksum());
  yield* chunks.takeAll();
}

/**
 * The same from entries that stand elsewhere, and come in the order of the format.
 *
 * @param count how many come.
 */
export async function* streamSnapshot(
  count: number,
  entries: AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>,
): AsyncGenerator<Uint8Array> {
  const chunks = new ChunkWriter();
  chunks.raw(snapshotHeader(count));
  for await (const [key, value] of entries) {
    chunks.u32(key.length).raw(key).u32(value.length).raw(value);
    if (chunks.hasFull) yield* chunks.takeFull();
  }
  chunks.u32(chunks.checksum());
  yield* chunks.takeAll();
}

function snapshotHeader(count: number): Uint8Array {
  const header = new ByteWriter(SNAPSHOT_HEADER_BYTES);
  return header.u32(SNAPSHOT_MAGIC).u8(SNAPSHOT_VERSION).u64(count).finish();
}

/** Cuts what is written into chunks of one length. What fits into the chunk at hand is written in place. */
class ChunkWriter {
  #chunk: Uint8Array = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
  #view: DataView = new DataView(this.#chunk.buffer);
  #length = 0;
  #full: Uint8Array[] = [];
  /** The checksum of the full chunks. */
  #crc = 0;

  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  raw(bytes: Uint8Array): this {
    if (this.#fits(bytes.length)) {
      this.#chunk.set(bytes, this.#length);
      this.#length += bytes.length;
      return this;
    }
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + SNAPSHOT_CHUNK_BYTES - this.#length);
      this.#chunk.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === SNAPSHOT_CHUNK_BYTES) this.#cut();
    }
    return this;
  }

  u32(value: number): this {
    if (!this.#fits(4)) return this.raw(new ByteWriter(4).u32(value).finish());
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
    return this;
  }

  byteString(string: string): this {
    if (!this.#fits(string.length)) return this.raw(fromByteString(string));
    for (let at = 0; at < string.length; at++) this.#chunk[this.#length + at] = string.charCodeAt(at);
    this.#length += string.length;
    return this;
  }

  /** The checksum of everything written so far. */
  checksum(): number {
    return crc32(this.#chunk.subarray(0, this.#length), this.#crc);
  }

  takeFull(): Uint8Array[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  takeAll(): Uint8Array[] {
    if (this.#length > 0) this.#cut();
    return this.takeFull();
  }

  /** True when `count` bytes leave room in the chunk: one that is full is cut at once. */
  #fits(count: number): boolean {
    return this.#length + count < SNAPSHOT_CHUNK_BYTES;
  }

  #cut(): void {
    this.#crc = this.checksum();
    this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#chunk = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
    this.#view = new DataView(this.#chunk.buffer);
    this.#length = 0;
  }
}
