import { ByteReader, ByteWriter } from "@seshat/common/binary";

/**
 * How much of the WAL files is durable: every file before number `wal`, and the first `size` bytes of that one. `batches` counts the
 * batches that were to be synced, so that a store can be held against it when those files are gone.
 */
export interface Extent {
  readonly batches: number;
  readonly wal: number;
  readonly size: number;
}

export const NO_EXTENT: Extent = Object.freeze({ batches: 0, wal: 0, size: 0 });

export const EXTENT_BYTES = 24;

export function encodeExtent({ batches, wal, size }: Extent): Uint8Array {
  return new ByteWriter(EXTENT_BYTES).u64(batches).u64(wal).u64(size).finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeExtent} gives. */
export function decodeExtent(bytes: Uint8Array): Extent {
  const reader = new ByteReader("extent", bytes);
  const extent = { batches: reader.u64(), wal: reader.u64(), size: reader.u64() };
  reader.end();
  return extent;
}

/** The one that reaches further into the WAL files. */
export function furtherExtent(a: Extent, b: Extent): Extent {
  return b.wal > a.wal || (b.wal === a.wal && b.size > a.size) ? b : a;
}
