/** The bytes that the prompt's grammar is made of, by name. */
export const NEWLINE = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const TAB = 0x09;
export const BACKSPACE = 0x08;
export const BELL = 0x07;
export const SPACE = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const SINGLE_QUOTE = 0x27;
export const BACKSLASH = 0x5c;
export const LETTER_X = 0x78;

/** True for what C's `isspace` takes for white space: space, tab, newline, vertical tab, form feed, carriage return. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/** True for the printable ASCII characters, space included. */
export function isPrintable(byte: number): boolean {
  return byte >= SPACE && byte <= 0x7e;
}

/** The value of a hexadecimal digit, or -1 for any other byte and for undefined. */
export function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** Text in which each character stands for one byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
