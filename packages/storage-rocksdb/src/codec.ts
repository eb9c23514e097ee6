/** How commands and nodes stand on disk. Part of the format of a store: what was written by one codec is read by the same. */
export { BYTES_CODEC as requestCodec, jsonCodec } from "@seshat/common/codec";
export type { ByteCodec, TypeCodec as StoreCodec } from "@seshat/common/codec";
