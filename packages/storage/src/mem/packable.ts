import type { LogEntry } from "@seshat/common";

/** Larger byte strings stay on their own: beside them what an object costs does not count. */
const MAX_PACKED_BYTES = 4096;

/** How the command of a packed entry is made again from its bytes: they are the command, or the `data` of it. */
export type Packing = "bytes" | "request";

/**
 * Whether an entry is nothing but a command of bytes, as a `Uint8Array` or a `Request`, so that one just like it can be made again from them:
 * same fields, same prototypes. Everything else is kept as it is: what an application puts into its commands is its own.
 */
export function packingOf(entry: LogEntry<unknown, unknown>): Packing | null {
  const { payload } = entry;
  if (payload.type !== "normal" || payload.session !== undefined) return null;
  if (!isPlain(entry, "logId", "payload") || !isPlain(payload, "type", "data")) return null;
  const { data } = payload;
  if (isPackable(data)) return "bytes";
  if (typeof data !== "object" || data === null || !isPlain(data, "data", "data")) return null;
  return isPackable((data as { readonly data?: unknown }).data) ? "request" : null;
}

/** The bytes of a command that {@link packingOf} found. */
export function bytesOf(entry: LogEntry<unknown, unknown>, packing: Packing): Uint8Array {
  const { data } = entry.payload as { readonly data: unknown };
  return packing === "bytes" ? (data as Uint8Array) : (data as { readonly data: Uint8Array }).data;
}

/** The entry that was packed. */
export function unpack(
  term: number,
  index: number,
  packing: Packing,
  bytes: Uint8Array,
): LogEntry<unknown, unknown> {
  const data = packing === "bytes" ? bytes : { data: bytes };
  return { logId: { term, index }, payload: { type: "normal", data } };
}

function isPackable(value: unknown): boolean {
  return (
    value instanceof Uint8Array &&
    value.length <= MAX_PACKED_BYTES &&
    // A `Buffer` is to come back as one.
    Object.getPrototypeOf(value) === Uint8Array.prototype
  );
}

/** True for an object made by a literal, with no other fields than these two. */
function isPlain(value: object, first: string, second: string): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const field in value) if (field !== first && field !== second) return false;
  return true;
}
