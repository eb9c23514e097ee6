/** FNV-1a over the UTF-16 units of a text: to compare contents and traces, not to protect them. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** FNV-1a over bytes and their number. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = mixNumber(0x811c9dc5, bytes.length);
  for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

/** Adds a number to a hash. */
export function mixNumber(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ (value >>> 0), 0x01000193);
  mixed = Math.imul(mixed ^ Math.floor(value / 2 ** 32), 0x01000193);
  return mixed >>> 0;
}
