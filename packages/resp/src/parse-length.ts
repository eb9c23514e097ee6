import { MINUS, NINE, ZERO } from "./ascii.js";

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
/** `-9223372036854775808` */
const MOST_DIGITS = 20;

/**
 * The decimal number from `start` to the end, as Redis writes numbers: no plus, no leading zero, no `-0`, no space, within 64 bits.
 * Anything else is undefined. Past 2^53 it is rounded, which is far past any limit that it is compared with.
 */
export function parseLength(bytes: Uint8Array, start: number): number | undefined {
  const negative = bytes[start] === MINUS;
  const from = negative ? start + 1 : start;
  const digits = bytes.length - from;
  if (digits < 1 || bytes.length - start > MOST_DIGITS) return undefined;
  if (bytes[from] === ZERO && (digits > 1 || negative)) return undefined;
  let value = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return undefined;
    value = value * 10 + (byte - ZERO);
  }
  if (Number.isSafeInteger(value)) return negative ? -value : value;
  const exact = BigInt(String.fromCharCode(...bytes.subarray(start)));
  return exact < MIN_INT64 || exact > MAX_INT64 ? undefined : Number(exact);
}
