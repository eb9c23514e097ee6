/*
 * A record is what a shard keeps of a key, one behind the other in its arena:
 *
 *   record = flags u8, key length u8 (or 255 and a u32 behind the fixed part),
 *            value length u16, or for an outside value its slot u32,
 *            [version u48], [deadline u48], [key length u32], key, [value], padding to 4 bytes
 *
 * Integers are little-endian. A version or a deadline of 0 takes no place: members of hashes and sets have neither.
 */
export const FLAG_OUTSIDE = 1;
export const FLAG_VERSION = 2;
export const FLAG_DEADLINE = 4;
export const FLAG_LONG_KEY = 8;

/** The least length of a value that stands outside, as an array of its own: below it, the array would weigh more than the value. */
export const OUTSIDE_BYTES = 1024;

/** How long the part before the key is, by flags. */
const HEAD_BYTES: Uint8Array = Uint8Array.from({ length: 16 }, (_, flags) => {
  const value = flags & FLAG_OUTSIDE ? 4 : 2;
  const version = flags & FLAG_VERSION ? 6 : 0;
  const deadline = flags & FLAG_DEADLINE ? 6 : 0;
  return 2 + value + version + deadline + (flags & FLAG_LONG_KEY ? 4 : 0);
});

export function headBytes(flags: number): number {
  return HEAD_BYTES[flags] as number;
}

export function flagsFor(keyBytes: number, outside: boolean, version: number, deadline: number): number {
  return (
    (outside ? FLAG_OUTSIDE : 0) |
    (version > 0 ? FLAG_VERSION : 0) |
    (deadline > 0 ? FLAG_DEADLINE : 0) |
    (keyBytes >= 255 ? FLAG_LONG_KEY : 0)
  );
}

/** How much of the arena a record takes. */
export function recordBytes(flags: number, keyBytes: number, inlineBytes: number): number {
  return Math.ceil((headBytes(flags) + keyBytes + inlineBytes) / 4) * 4;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, value);
  writeU16(bytes, at + 2, value >>> 16);
}

export function readU48(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU16(bytes, at + 4) * 0x1_0000_0000;
}

export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value >>> 0);
  writeU16(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}
