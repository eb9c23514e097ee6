export { jsonCodec } from "@seshat/common/codec";
export type { ByteCodec, TypeCodec as StoreCodec } from "@seshat/common/codec";
