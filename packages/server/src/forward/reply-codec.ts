import type { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { RespValue } from "@seshat/resp";

/** How a reply travels between nodes. The numbers never change. */
const TAG = {
  null: 0,
  integer: 1,
  bigint: 2,
  false: 3,
  true: 4,
  bytes: 5,
  array: 6,
  simple: 7,
  error: 8,
  nullArray: 9,
  map: 10,
  set: 11,
  double: 12,
  verbatim: 13,
  push: 14,
  bigNumber: 15,
  pairs: 16,
} as const;

const MAX_DEPTH = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** @throws {RangeError} when it is nested more than 64 deep. */
export function writeReply(to: ByteWriter, reply: RespValue, depth = 0): void {
  if (depth > MAX_DEPTH) throw new RangeError("a reply is nested too deep");
  if (reply === null) {
    to.u8(TAG.null);
    return;
  }
  switch (typeof reply) {
    case "number":
      if (reply >= 0) to.u8(TAG.integer).u64(reply);
      else writeText(to, TAG.bigint, String(reply));
      return;
    case "bigint":
      writeText(to, TAG.bigint, String(reply));
      return;
    case "boolean":
      to.u8(reply ? TAG.true : TAG.false);
      return;
    case "object":
      break;
    default:
      return reply satisfies never;
  }
  if (reply instanceof Uint8Array) {
    to.u8(TAG.bytes).bytes(reply);
    return;
  }
  if (isList(reply)) {
    writeList(to, TAG.array, reply, depth);
    return;
  }
  switch (reply.type) {
    case "simple":
      writeText(to, TAG.simple, reply.text);
      return;
    case "error":
      writeText(to, TAG.error, reply.message);
      return;
    case "nullArray":
      to.u8(TAG.nullArray);
      return;
    case "map":
    case "pairs":
      to.u8(TAG[reply.type]).u32(reply.entries.length);
      for (const [key, value] of reply.entries) {
        writeReply(to, key, depth + 1);
        writeReply(to, value, depth + 1);
      }
      return;
    case "set":
      writeList(to, TAG.set, reply.items, depth);
      return;
    case "push":
      writeList(to, TAG.push, reply.items, depth);
      return;
    case "double":
      scratch.setFloat64(0, reply.value);
      to.u8(TAG.double).raw(scratchBytes);
      return;
    case "verbatim":
      writeText(to, TAG.verbatim, reply.format);
      to.bytes(reply.text);
      return;
    case "bigNumber":
      writeText(to, TAG.bigNumber, String(reply.value));
      return;
    default:
      reply satisfies never;
  }
}

/** Byte strings are parts of what is read. @throws {CodecError} */
export function readReply(from: ByteReader, depth = 0): RespValue {
  if (depth > MAX_DEPTH) throw from.error("a reply is nested too deep");
  const tag = from.u8();
  switch (tag) {
    case TAG.null:
      return null;
    case TAG.integer:
      return from.u64();
    case TAG.bigint: {
      const value = readBigint(from);
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.bytes:
      return from.view(from.u32());
    case TAG.array:
      return readList(from, depth);
    case TAG.simple:
      return { type: "simple", text: readText(from) };
    case TAG.error:
      return { type: "error", message: readText(from) };
    case TAG.nullArray:
      return { type: "nullArray" };
    case TAG.map:
    case TAG.pairs: {
      const entries: (readonly [RespValue, RespValue])[] = [];
      for (let left = from.u32(); left > 0; left--)
        entries.push([readReply(from, depth + 1), readReply(from, depth + 1)]);
      return { type: tag === TAG.map ? "map" : "pairs", entries };
    }
    case TAG.set:
      return { type: "set", items: readList(from, depth) };
    case TAG.push:
      return { type: "push", items: readList(from, depth) };
    case TAG.double: {
      scratchBytes.set(from.view(8));
      return { type: "double", value: scratch.getFloat64(0) };
    }
    case TAG.verbatim:
      return { type: "verbatim", format: readText(from), text: from.view(from.u32()) };
    case TAG.bigNumber:
      return { type: "bigNumber", value: readBigint(from) };
    default:
      throw from.error(`an unknown kind of reply: ${tag}`);
  }
}

function writeList(to: ByteWriter, tag: number, items: readonly RespValue[], depth: number): void {
  to.u8(tag).u32(items.length);
  for (const item of items) writeReply(to, item, depth + 1);
}

function readList(from: ByteReader, depth: number): RespValue[] {
  const items: RespValue[] = [];
  // Each takes at least a byte, so a length that lies ends at the end of the bytes.
  for (let left = from.u32(); left > 0; left--) items.push(readReply(from, depth + 1));
  return items;
}

function writeText(to: ByteWriter, tag: number, text: string): void {
  to.u8(tag).bytes(encoder.encode(text));
}

function readText(from: ByteReader): string {
  return decoder.decode(from.view(from.u32()));
}

function readBigint(from: ByteReader): bigint {
  const text = readText(from);
  if (!/^-?\d{1,400}$/.test(text)) throw from.error("no integer");
  return BigInt(text);
}

/** `Array.isArray` takes the type of a readonly array away. */
function isList(value: object): value is readonly RespValue[] {
  return Array.isArray(value);
}
