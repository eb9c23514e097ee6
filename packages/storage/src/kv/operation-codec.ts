import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { Operation } from "./operation.js";
import { checkShape } from "./operation.js";

/*
 * operation = version u8 = 1, kind u8, then
 *   set (kind 1): key, value
 *   del (kind 2): count u32 (at least 1), key * count
 * key, value = length u32, bytes. Integers are big-endian.
 */
const VERSION = 1;
const KIND_SET = 1;
const KIND_DEL = 2;

/**
 * Encodes an operation as the data of a `Request`.
 *
 * @throws {InvalidValueError} when it is not an operation. Limits are not looked at: see `checkOperation`.
 */
export function encodeOperation(operation: Operation): Uint8Array {
  checkShape(operation);
  if (operation.type === "set") {
    const { key, value } = operation;
    const writer = new ByteWriter(10 + key.length + value.length);
    return writer.u8(VERSION).u8(KIND_SET).bytes(key).bytes(value).finish();
  }
  const writer = new ByteWriter().u8(VERSION).u8(KIND_DEL).u32(operation.keys.length);
  for (const key of operation.keys) writer.bytes(key);
  return writer.finish();
}

/**
 * Decodes what {@link encodeOperation} wrote. The keys and values are copies.
 *
 * @throws {CodecError} when the version or kind is unknown, or bytes are missing or left over.
 */
export function decodeOperation(bytes: Uint8Array): Operation {
  return decode(bytes, copyField);
}

/**
 * The same, but for keys and values that are parts of `bytes`: for who copies them, or writes them away, before those change. Most of them are
 * small, and a piece of memory for each costs more than all that is done with it.
 */
export function viewOperation(bytes: Uint8Array): Operation {
  return decode(bytes, viewField);
}

/** False when `bytes` are no deletion: nothing else is looked at. They may be no operation at all. */
export function mayDelete(bytes: Uint8Array): boolean {
  return bytes[1] === KIND_DEL;
}

type ReadField = (reader: ByteReader) => Uint8Array;
const copyField: ReadField = (reader) => reader.bytes();
const viewField: ReadField = (reader) => reader.view(reader.u32());

function decode(bytes: Uint8Array, field: ReadField): Operation {
  if (!(bytes instanceof Uint8Array)) throw new CodecError("operation", 0, "it is not a Uint8Array");
  const reader = new ByteReader("operation", bytes);
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  const operation = decodeKind(reader, field);
  reader.end();
  return operation;
}

function decodeKind(reader: ByteReader, field: ReadField): Operation {
  const kind = reader.u8();
  switch (kind) {
    case KIND_SET:
      return { type: "set", key: field(reader), value: field(reader) };
    case KIND_DEL: {
      const count = reader.u32();
      if (count === 0) throw reader.error("a del of no keys");
      const keys: Uint8Array[] = [];
      while (keys.length < count) keys.push(field(reader));
      return { type: "del", keys };
    }
    default:
      throw reader.error(`kind ${kind} is unknown`);
  }
}
