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
export function* writeSnapshot(entries: ShardedMap<Uint8Array>): Generator<Uint8Array> {
  const chunks = new ChunkWriter();
  const header = new ByteWriter(SNAPSHOT_HEADER_BYTES);
  chunks.raw(header.u32(SNAPSHOT_MAGIC).u8(SNAPSHOT_VERSION).u64(entries.size).finish());
  // The plain sort compares UTF-16 units, which here are bytes.
  for (const key of entries.keys().sort()) {
    chunks.bytes(fromByteString(key)).bytes(entries.get(key) as Uint8Array);
    yield* chunks.takeFull();
  }
  chunks.u32(chunks.checksum());
  yield* chunks.takeAll();
}

/** Cuts what is written into chunks of one length. */
class ChunkWriter {
  #chunk: Uint8Array = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
  #length = 0;
  #full: Uint8Array[] = [];
  /** The checksum of the full chunks. */
  #crc = 0;
  readonly #number: Uint8Array = new Uint8Array(4);

  raw(bytes: Uint8Array): this {
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
    new DataView(this.#number.buffer).setUint32(0, value);
    return this.raw(this.#number);
  }

  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** The checksum of everything written so far. */
  checksum(): number {
    return crc32(this.#chunk.subarray(0, this.#length), this.#crc);
  }

  takeFull(): Uint8Array[] {
    const full = this.#full;
    if (full.length > 0) this.#full = [];
    return full;
  }

  takeAll(): Uint8Array[] {
    if (this.#length > 0) this.#cut();
    return this.takeFull();
  }

  #cut(): void {
    this.#crc = this.checksum();
    this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#chunk = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
    this.#length = 0;
  }
}
