import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { ResponseCodec } from "@seshat/storage";
import type { KvResponse, Reply } from "./reply.js";

/*
 *   response = version u8 = 1, count u32, reply * count
 *   reply    = 0                                   null
 *            | 1, u64 | 2, u64                     an integer; one below 0, less its sign
 *            | 3, length u32, digits               an integer beyond 2^53, as text
 *            | 4, length u32, bytes                a string
 *            | 5, count u32, reply * count         an array
 *            | 6, length u32, text                 a simple string, in UTF-8
 *            | 7, length u32, text                 an error, in UTF-8
 *            | 8                                   no array
 *            | 9, count u32, (reply, reply) * count   a map
 *            | 10, count u32, reply * count        a set
 *            | 11, f64                             a floating point number
 *            | 12, count u32, (reply, reply) * count  pairs
 */
const FORMAT = "response";
const VERSION = 1;
/** A transaction of commands that answer arrays of arrays has 4. */
const MAX_DEPTH = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const INTEGER = /^-?[1-9]\d{15,18}$/;

/** Writes and reads responses: equal ones give equal bytes. */
export const RESPONSE_CODEC: ResponseCodec<KvResponse> = {
  encode({ replies }) {
    const writer = new ByteWriter(64).u8(VERSION).u32(replies.length);
    for (const reply of replies) writeReply(writer, reply);
    return writer.finish();
  },

  decode(bytes) {
    const reader = new ByteReader(FORMAT, bytes);
    const version = reader.u8();
    if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
    const replies = readReplies(reader, 0);
    reader.end();
    return { replies };
  },
};

function writeReply(writer: ByteWriter, reply: Reply): void {
  if (reply === null) writer.u8(0);
  else if (typeof reply === "number") writer.u8(reply < 0 ? 2 : 1).u64(Math.abs(reply));
  else if (typeof reply === "bigint") writer.u8(3).bytes(encoder.encode(String(reply)));
  else if (reply instanceof Uint8Array) writer.u8(4).bytes(reply);
  else if ("length" in reply) writeReplies(writer.u8(5), reply);
  else writeTyped(writer, reply);
}

function writeTyped(
  writer: ByteWriter,
  reply: Exclude<Reply, null | number | bigint | Uint8Array | readonly Reply[]>,
): void {
  switch (reply.type) {
    case "simple":
      writer.u8(6).bytes(encoder.encode(reply.text));
      return;
    case "error":
      writer.u8(7).bytes(encoder.encode(reply.message));
      return;
    case "nullArray":
      writer.u8(8);
      return;
    case "map":
    case "pairs":
      writer.u8(reply.type === "map" ? 9 : 12).u32(reply.entries.length);
      for (const [name, value] of reply.entries) {
        writeReply(writer, name);
        writeReply(writer, value);
      }
      return;
    case "set":
      writeReplies(writer.u8(10), reply.items);
      return;
    case "double": {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, reply.value);
      writer.u8(11).raw(bytes);
      return;
    }
    default:
      reply satisfies never;
  }
}

function writeReplies(writer: ByteWriter, replies: readonly Reply[]): void {
  writer.u32(replies.length);
  for (const reply of replies) writeReply(writer, reply);
}

function readReply(reader: ByteReader, depth: number): Reply {
  if (depth > MAX_DEPTH) throw reader.error(`more than ${MAX_DEPTH} replies within one another`);
  const kind = reader.u8();
  switch (kind) {
    case 0:
      return null;
    case 1:
      return reader.u64();
    case 2: {
      const value = reader.u64();
      if (value === 0) throw reader.error("an integer that is 0 and below it");
      return -value;
    }
    case 3:
      return readBigInt(reader);
    case 4:
      return reader.bytes();
    case 5:
      return readReplies(reader, depth + 1);
    case 6:
      return { type: "simple", text: readText(reader) };
    case 7:
      return { type: "error", message: readText(reader) };
    case 8:
      return { type: "nullArray" };
    case 9:
    case 12: {
      const entries: [Reply, Reply][] = [];
      for (let left = readCount(reader, 2); left > 0; left--) {
        const name = readReply(reader, depth + 1);
        entries.push([name, readReply(reader, depth + 1)]);
      }
      return { type: kind === 9 ? "map" : "pairs", entries };
    }
    case 10:
      return { type: "set", items: readReplies(reader, depth + 1) };
    case 11: {
      const bytes = reader.raw(8);
      return { type: "double", value: new DataView(bytes.buffer).getFloat64(0) };
    }
    default:
      throw reader.error(`a reply of kind ${kind}`);
  }
}

function readReplies(reader: ByteReader, depth: number): Reply[] {
  const replies: Reply[] = [];
  for (let left = readCount(reader, 1); left > 0; left--) replies.push(readReply(reader, depth));
  return replies;
}

/** No more than there can be in what is left. */
function readCount(reader: ByteReader, bytesEach: number): number {
  const count = reader.u32();
  if (count * bytesEach > reader.remaining) {
    throw reader.error(`${count} replies, with ${reader.remaining} bytes left`);
  }
  return count;
}

function readBigInt(reader: ByteReader): bigint {
  const text = readText(reader);
  if (!INTEGER.test(text) || Number.isSafeInteger(Number(text)))
    throw reader.error("an integer that is written another way");
  return BigInt(text);
}

function readText(reader: ByteReader): string {
  const bytes = reader.bytes();
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CodecError(FORMAT, reader.offset, "text that is not UTF-8");
  }
}
