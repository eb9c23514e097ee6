import type { ByteCodec } from "@seshat/common/codec";

export { jsonCodec } from "@seshat/common/codec";
export type { ByteCodec, TypeCodec as StoreCodec } from "@seshat/common/codec";

/** A codec that encodes each object once, for it stays as it is: every node of a cluster in one process writes the same one. */
export function encodedOnce<T>(codec: ByteCodec<T>): ByteCodec<T> {
  const known = new WeakMap<object, Uint8Array>();
  return {
    encode: (value) => {
      if (typeof value !== "object" || value === null) return codec.encode(value);
      const bytes = known.get(value) ?? codec.encode(value);
      known.set(value, bytes);
      return bytes;
    },
    decode: (bytes) => codec.decode(bytes),
  };
}
