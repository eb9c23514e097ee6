import { ByteReader, ByteWriter } from "@seshat/common/binary";

/** Every value of a store begins with the version of its format. */
const VERSION = 1;

/** A writer that has written the version. */
export function versionedWriter(capacity?: number): ByteWriter {
  return new ByteWriter(capacity).u8(VERSION);
}

/** A reader behind the version. @throws {CodecError} when that is another one. */
export function versionedReader(format: string, bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(format, bytes);
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  return reader;
}
