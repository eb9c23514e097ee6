import { hashBytes, hashText, mixNumber } from "./hash.js";

/** A key that needs no quotes. */
const NAME = /^[A-Za-z_$][\w$]*$/;

/**
 * A value as text that is equal for equal values, however they were put together: the order of keys does not count, and a key that is
 * undefined is as good as none. For plain data, maps, sets and bytes.
 */
export function canonicalText(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) {
    // JSON has no word for these numbers.
    return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "undefined");
  }
  if (ArrayBuffer.isView(value)) {
    return `bytes ${toHex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`;
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item)).join(",")}]`;
  if (value instanceof Set) return `Set {${textsOf(value, canonicalText).join(",")}}`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  const pairs =
    value instanceof Map ? value : Object.entries(value).filter(([, inner]) => inner !== undefined);
  const texts = textsOf(pairs as Iterable<[unknown, unknown]>, ([key, inner]) => {
    return `${typeof key === "string" && NAME.test(key) ? key : canonicalText(key)}:${canonicalText(inner)}`;
  });
  return `{${texts.join(",")}}`;
}

/** A number that is equal for values of which {@link canonicalText} is: the same without the text, which takes long. */
export function canonicalHash(value: unknown): number {
  switch (typeof value) {
    case "string":
      return hashText(value, 1);
    case "number":
      return Number.isInteger(value) ? mixNumber(2, value) : hashText(String(value), 2);
    case "object":
      return value === null ? 3 : hashOfObject(value);
    default:
      return hashText(canonicalText(value), 4);
  }
}

function hashOfObject(value: object): number {
  if (ArrayBuffer.isView(value)) {
    return hashBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  let hash = 5;
  if (Array.isArray(value)) {
    for (const item of value) hash = mixNumber(hash, canonicalHash(item));
    return mixNumber(hash, value.length);
  }
  if (value instanceof Set || value instanceof Date) return hashText(canonicalText(value));
  // A sum does not depend on the order.
  if (value instanceof Map) {
    for (const [key, inner] of value) hash += hashOfPair(canonicalHash(key), inner);
    return hash >>> 0;
  }
  for (const key of Object.keys(value)) {
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    if (inner !== undefined) hash += hashOfPair(hashOfKey(key), inner);
  }
  return hash >>> 0;
}

function hashOfPair(key: number, value: unknown): number {
  return mixNumber(mixNumber(6, key), canonicalHash(value));
}

/** Of keys there are few, and they come up again and again: up to so many are remembered. */
const MAX_KEYS = 1024;
const keyHashes = new Map<string, number>();

function hashOfKey(key: string): number {
  const known = keyHashes.get(key);
  if (known !== undefined) return known;
  const hash = canonicalHash(key);
  if (keyHashes.size < MAX_KEYS) keyHashes.set(key, hash);
  return hash;
}

const hashes = new WeakMap<object, number>();

/** {@link canonicalHash} of a value that never changes, computed once for each object. */
export function hashOfConstant(value: object): number {
  const known = hashes.get(value);
  if (known !== undefined) return known;
  const hash = canonicalHash(value);
  hashes.set(value, hash);
  return hash;
}

/** Where two values first differ, e.g. `entries[2].logId.term`, with what stands there; null when they are equal. */
export function firstDifference(
  one: unknown,
  other: unknown,
  path = "",
): { readonly path: string; readonly one: string; readonly other: string } | null {
  const texts = [canonicalText(one), canonicalText(other)] as const;
  if (texts[0] === texts[1]) return null;
  if (!isWalkable(one) || !isWalkable(other) || Array.isArray(one) !== Array.isArray(other)) {
    return { path, one: shorten(texts[0]), other: shorten(texts[1]) };
  }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const inner = Array.isArray(one) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const found = firstDifference(one[key as never], other[key as never], inner);
    if (found !== null) return found;
  }
  return { path, one: shorten(texts[0]), other: shorten(texts[1]) };
}

const MAX_SHOWN = 200;

/** A text that is not too long to be read in a message. */
export function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

/** Plain objects and arrays: what has parts with names. */
function isWalkable(value: unknown): value is object {
  if (Array.isArray(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function textsOf<T>(items: Iterable<T>, textOf: (item: T) => string): string[] {
  return [...items].map((item) => textOf(item)).sort();
}

function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
