import {
  BACKSLASH,
  BACKSPACE,
  BELL,
  CARRIAGE_RETURN,
  DOUBLE_QUOTE,
  NEWLINE,
  TAB,
  isPrintable,
} from "./ascii.js";

const NAMED: ReadonlyMap<number, string> = new Map([
  [BACKSLASH, "\\\\"],
  [DOUBLE_QUOTE, '\\"'],
  [NEWLINE, "\\n"],
  [CARRIAGE_RETURN, "\\r"],
  [TAB, "\\t"],
  [BELL, "\\a"],
  [BACKSPACE, "\\b"],
]);

/** How each byte is written between double quotes. */
const WRITTEN: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const named = NAMED.get(byte);
  if (named !== undefined) return named;
  return isPrintable(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
});

/**
 * Writes any bytes as printable ASCII between double quotes, the way redis-cli shows a string. Reading it
 * back with `splitArguments` gives the same bytes, and it never holds a newline.
 */
export function quote(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) text += WRITTEN[byte];
  return `${text}"`;
}
