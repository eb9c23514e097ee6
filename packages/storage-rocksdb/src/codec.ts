import type { BytesTypeConfig, RaftTypeConfig, Request } from "@seshat/common";

/** How a value stands on disk. `decode(encode(value))` is equal to `value`. */
export interface ByteCodec<T> {
  encode(value: T): Uint8Array;
  /** The bytes may be kept: nobody else holds them. @throws when they are not what `encode` gives. */
  decode(bytes: Uint8Array): T;
}

/** How what an application chose stands on disk. Part of the format of its stores: what was written by one is read by the same. */
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

/** For commands that are bytes already. */
export const requestCodec: StoreCodec<BytesTypeConfig> = {
  command: { encode: ({ data }: Request) => data, decode: (data) => ({ data }) },
};
