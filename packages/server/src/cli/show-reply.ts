import type { RespValue } from "@seshat/resp";

/** A reply for people to read, as redis-cli shows it on a terminal. */
export function showReply(reply: RespValue, indent = ""): string {
  if (reply === null) return "(nil)";
  if (typeof reply === "number" || typeof reply === "bigint") return `(integer) ${reply}`;
  if (typeof reply === "boolean") return `(${reply})`;
  if (reply instanceof Uint8Array) return quoted(reply);
  if (isList(reply)) return list(reply, indent);
  switch (reply.type) {
    case "simple":
      return reply.text;
    case "error":
      return `(error) ${reply.message}`;
    case "nullArray":
      return "(nil)";
    case "map":
    case "pairs":
      return list(reply.entries.flat(), indent);
    case "set":
    case "push":
      return list(reply.items, indent);
    case "double":
      return `(double) ${reply.value}`;
    case "verbatim":
      return new TextDecoder().decode(reply.text).trimEnd();
    case "bigNumber":
      return `(integer) ${reply.value}`;
    default:
      return reply satisfies never;
  }
}

function list(items: readonly RespValue[], indent: string): string {
  if (items.length === 0) return "(empty array)";
  const width = String(items.length).length;
  return items
    .map((item, i) => {
      const number = `${String(i + 1).padStart(width)}) `;
      return `${i === 0 ? "" : indent}${number}${showReply(item, `${indent}${" ".repeat(number.length)}`)}`;
    })
    .join("\n");
}

/** Printable ASCII as it is, everything else escaped: a value must not drive the terminal. */
function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (byte >= 32 && byte < 127) text += character;
    else text += NAMED[byte] ?? `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}

const NAMED: Readonly<Record<number, string>> = { 10: String.raw`\n`, 13: String.raw`\r`, 9: String.raw`\t` };

/** `Array.isArray` takes the type of a readonly array away. */
function isList(value: object): value is readonly RespValue[] {
  return Array.isArray(value);
}
