/**
 * The few messages of etcd's API (version 3, `etcdserverpb`) that are spoken here, in the encoding of Protocol Buffers: each field is its number and
 * kind in one varint, then a varint or a length and bytes. Fields that are not set are not sent.
 */

const VARINT = 0;
const BYTES = 2;
/** What stands before each message of gRPC: not compressed, and its length. */
const PREFIX_BYTES = 5;

/** The methods, by their paths. */
export const ETCD_METHODS = {
  put: "/etcdserverpb.KV/Put",
  range: "/etcdserverpb.KV/Range",
  status: "/etcdserverpb.Maintenance/Status",
} as const;

/** `PutRequest`: key = 1, value = 2. */
export function putRequest(key: string, value: Uint8Array): Buffer {
  return framed([...field(1, Buffer.from(key)), ...field(2, value)]);
}

/** `RangeRequest` of one key: key = 1. Linearizable, as etcd reads unless it is asked for less. */
export function getRequest(key: string): Buffer {
  return framed(field(1, Buffer.from(key)));
}

/** `RangeRequest` for how many keys begin with `prefix` on this node: range_end = 2, serializable = 7, count_only = 9. */
export function countRequest(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end[last] = (end[last] as number) + 1;
  return framed([...field(1, Buffer.from(prefix)), ...field(2, end), ...flag(7), ...flag(9)]);
}

/** A request without fields. */
export function emptyRequest(): Buffer {
  return framed([]);
}

/** What is read of an answer: its fields by number, the last of each; numbers as text, because they may not fit. */
export type Fields = ReadonlyMap<number, Buffer | string>;

/** @param message with the prefix of gRPC. @throws {RangeError} when it is not one whole message. */
export function readAnswer(message: Buffer): Fields {
  if (message.length < PREFIX_BYTES || message.readUInt32BE(1) !== message.length - PREFIX_BYTES)
    throw new RangeError("an answer of etcd is not one message");
  return readFields(message.subarray(PREFIX_BYTES));
}

function readFields(bytes: Buffer): Fields {
  const fields = new Map<number, Buffer | string>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("an answer of etcd is cut off");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = varint();
    if (tag % 8 === VARINT) fields.set(tag >> 3, String(value));
    else if (tag % 8 === BYTES) fields.set(tag >> 3, bytes.subarray(at, (at += Number(value))));
    else throw new RangeError(`an answer of etcd has a field of kind ${tag % 8}`);
  }
  return fields;
}

/** A field within a field. */
export function nested(fields: Fields, number: number): Fields {
  const value = fields.get(number);
  return typeof value === "object" ? readFields(value) : new Map();
}

function field(number: number, value: Uint8Array): number[] {
  return [(number << 3) | BYTES, ...lengthOf(value.length), ...value];
}

function flag(number: number): number[] {
  return [(number << 3) | VARINT, 1];
}

function lengthOf(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >> 7)];
}

function framed(message: readonly number[]): Buffer {
  const frame = Buffer.from([0, 0, 0, 0, 0, ...message]);
  frame.writeUInt32BE(message.length, 1);
  return frame;
}
