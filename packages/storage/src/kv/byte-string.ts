/** Below this length a loop beats a call with many arguments. */
const SHORT_BYTES = 32;
/** Arguments of one call: a longer list could overflow the stack. */
const BYTES_PER_CALL = 4096;

/**
 * Bytes as a string of one UTF-16 unit (0 to 255) a byte: a key for a `Map`. Different bytes give different
 * strings, and strings compare as their bytes do. Not text: for that, see `TextDecoder`.
 */
export function toByteString(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES) {
    let string = "";
    let at = 0;
    // Each addition makes a string that is garbage with the next.
    for (; at + 8 <= bytes.length; at += 8) string += eightUnits(bytes, at);
    for (; at < bytes.length; at++) string += String.fromCharCode(bytes[at] as number);
    return string;
  }
  if (bytes.length <= BYTES_PER_CALL) return String.fromCharCode(...bytes);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_CALL) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + BYTES_PER_CALL)));
  }
  return parts.join("");
}

function eightUnits(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    bytes[at] as number,
    bytes[at + 1] as number,
    bytes[at + 2] as number,
    bytes[at + 3] as number,
    bytes[at + 4] as number,
    bytes[at + 5] as number,
    bytes[at + 6] as number,
    bytes[at + 7] as number,
  );
}

/** The bytes of {@link toByteString}. */
export function fromByteString(string: string): Uint8Array {
  const bytes = new Uint8Array(string.length);
  for (let at = 0; at < string.length; at++) bytes[at] = string.charCodeAt(at);
  return bytes;
}
