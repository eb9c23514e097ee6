/**
 * HalfSipHash-1-3 with a 64-bit key and a 32-bit result (J.-P. Aumasson, D. J. Bernstein): whoever does not know the key cannot
 * choose strings that collide. Never 0, so that 0 can stand before every hash.
 *
 * @param k0 the low half of the key, as a 32-bit integer.
 * @param k1 the high half.
 * @returns an integer from 1 to 2^32 - 1.
 */
export function halfSipHash(bytes: Uint8Array, k0: number, k1: number): number {
  const { length } = bytes;
  let v0 = k0 | 0;
  let v1 = k1 | 0;
  let v2 = 0x6c79_6765 ^ v0;
  let v3 = 0x7465_6462 ^ v1;
  const whole = length & ~3;
  // One word a turn; then the rest with the length; then three turns that finish.
  for (let at = 0; at < whole + 16; at += 4) {
    let word = 0;
    if (at < whole) {
      word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      v3 ^= word;
    } else if (at === whole) {
      word = length << 24;
      const rest = length & 3;
      if (rest > 2) word |= (bytes[at + 2] as number) << 16;
      if (rest > 1) word |= (bytes[at + 1] as number) << 8;
      if (rest > 0) word |= bytes[at] as number;
      v3 ^= word;
    } else if (at === whole + 4) {
      v2 ^= 0xff;
    }
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0 || 1;
}
