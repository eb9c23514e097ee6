import type { RespValue } from "@seshat/resp";
import type { Args } from "../gateway/op.js";

export const OK: RespValue = Object.freeze({ type: "simple", text: "OK" });

/** The characters of bytes, one for each, so that whatever a client sent can be repeated to it. */
export function latin1(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** An argument as a word: in lower case. */
export function word(args: Args, index: number): string {
  return latin1(args[index]).toLowerCase();
}

export function bulk(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

/**
 * A whole number of 64 bits as Redis reads one: no blanks, no plus, no leading zeros; null for anything else. Past 2^53 it is rounded, which is
 * far past anything that there is.
 */
export function integer(bytes: Uint8Array | undefined): number | null {
  const text = latin1(bytes);
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) || BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? value : null;
}

/** The characters of a string of C, which ends at a NUL: so Redis prints what clients sent. */
export function cString(bytes: Uint8Array | undefined): string {
  const text = latin1(bytes);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The same with letters in lower case. */
export function lower(bytes: Uint8Array): Uint8Array {
  return Buffer.from(latin1(bytes).toLowerCase(), "latin1");
}

/** Whether it is a whole number of 64 bits, also where a number of JavaScript would not be exact. */
export function isInteger64(bytes: Uint8Array | undefined): boolean {
  const text = latin1(bytes);
  return /^(?:0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}
