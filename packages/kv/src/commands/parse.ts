import { NOT_AN_INTEGER, Refusal } from "../refusal.js";

const MINUS = 0x2d;
const ZERO = 0x30;

export const INT32_MAX = 2_147_483_647;
export const INT32_MIN = -2_147_483_648;
export const INT64_MAX: bigint = 2n ** 63n - 1n;
export const INT64_MIN: bigint = -(2n ** 63n);

/** A 64-bit integer; a number where it is safe, so that common ones cost little. */
export type Integer = number | bigint;

/**
 * Reads an integer as Redis does (`string2ll`): digits and at most a minus, no zeros before, no blanks, 64 bits.
 *
 * @returns null for anything else.
 */
export function parseInteger(bytes: Uint8Array): Integer | null {
  const { length } = bytes;
  if (length === 0 || length > 20) return null;
  const negative = bytes[0] === MINUS;
  const start = negative ? 1 : 0;
  if (bytes[start] === ZERO) return length === 1 ? 0 : null;
  if (length === start) return null;
  let value = 0;
  const small = length - start <= 15;
  for (let at = start; at < length; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  if (small) return negative ? -value : value;
  const exact = BigInt(String.fromCharCode(...bytes));
  return fitsInt64(exact) ? shrink(exact) : null;
}

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** A number where it is safe. */
export function shrink(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** @throws {Refusal} when it is no 64-bit integer. */
export function integerArgument(bytes: Uint8Array | undefined): Integer {
  const value = bytes === undefined ? null : parseInteger(bytes);
  if (value === null) throw NOT_AN_INTEGER;
  return value;
}

/** An integer of a range. @throws {Refusal} when it is none. */
export function rangedArgument(bytes: Uint8Array | undefined, min: Integer, max: Integer): Integer {
  const value = integerArgument(bytes);
  if (value >= min && value <= max) return value;
  throw new Refusal(`ERR value is out of range, value must between ${min} and ${max}`);
}

/** An integer for where anything past 2^53 means the same as 2^53: an index, a count. */
export function indexArgument(bytes: Uint8Array | undefined): number {
  const value = integerArgument(bytes);
  if (typeof value === "number") return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}

/** The bytes of an integer. */
export function integerBytes(value: Integer): Uint8Array {
  return asciiBytes(String(value));
}

/** The bytes of a string of which each character is one. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/**
 * A word in upper case, for comparing with options; letters past ASCII as they are. Long ones are cut: no option is. It ends at a NUL, as for
 * Redis, which compares strings of C.
 */
export function word(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length > 32) return "";
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    text += String.fromCharCode(byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte);
  }
  return text;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** The order of Redis's `memcmp`: by bytes, then the shorter first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** What a client sent, for an error: a character a byte, up to a 0 as in C; line ends as blanks, because an error is one line. */
export function errorText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    text += byte === 10 || byte === 13 ? " " : String.fromCharCode(byte);
  }
  return text;
}
