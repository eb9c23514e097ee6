import type { RaftTypeConfig } from "@seshat/common";

/** How a value stands on disk. `decode(encode(value))` is equal to `value`. */
export interface ByteCodec<T> {
  encode(value: T): Uint8Array;
  /** @throws when the bytes are not what `encode` gives. */
  decode(bytes: Uint8Array): T;
}

/** How what an application chose stands on disk. */
export interface StoreCodec<C extends RaftTypeConfig> {
  readonly command: ByteCodec<C["D"]>;
  /** The description of a node. Default: as JSON. */
  readonly node?: ByteCodec<C["Node"]>;
}

/** Values that JSON can hold, as JSON in UTF-8. */
export function jsonCodec<T>(): ByteCodec<T> {
  return {
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as T,
  };
}
