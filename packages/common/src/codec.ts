/** Commands, nodes, entries and memberships as bytes, the same in logs, in snapshots and on the wire. */
export { BYTES_CODEC, jsonCodec } from "./codec/byte-codec.js";
export type { ByteCodec, TypeCodec } from "./codec/byte-codec.js";
export { EntryCodec, readLogId, writeLogId } from "./codec/entry-codec.js";
