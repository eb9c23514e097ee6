import type { RaftTypeConfig } from "../raft-type-config.js";
import type { BytesTypeConfig } from "../request.js";

/** How a value is written as bytes. `decode(encode(value))` is equal to `value`. */
export interface ByteCodec<T> {
  /** What it gives is not changed any more. */
  encode(value: T): Uint8Array;
  /**
   * @param bytes may be a part of something larger, which is kept in memory as long as any part of it is.
   * @throws when the bytes are not what `encode` gives.
   */
  decode(bytes: Uint8Array): T;
}

/** How what an application chose is written as bytes. */
export interface TypeCodec<C extends RaftTypeConfig> {
  readonly command: ByteCodec<C["D"]>;
  /** The description of a node. Default: as JSON. */
  readonly node?: ByteCodec<C["Node"]>;
}

/** Values that JSON can hold, as JSON in UTF-8. */
export function jsonCodec<T>(): ByteCodec<T> {
  return {
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Commands that are bytes already, as they are. */
export const BYTES_CODEC: TypeCodec<BytesTypeConfig> = Object.freeze({
  command: Object.freeze({
    encode: ({ data }: BytesTypeConfig["D"]) => data,
    decode: (data: Uint8Array) => ({ data }),
  }),
});
