export const CR = 13;
export const LF = 10;
export const ZERO = 48;
export const NINE = 57;
export const MINUS = 45;

/** One character for each byte. */
export function latin1(bytes: Uint8Array): string {
  // In slices: a call takes a bounded number of arguments.
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
