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
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Adds a number to a hash. */
export function mixNumber(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ (value >>> 0), 0x01000193);
  mixed = Math.imul(mixed ^ Math.floor(value / 2 ** 32), 0x01000193);
  return mixed >>> 0;
}

const hashes = new WeakMap<object, number>();

/** The hash of a value that never changes, computed once for each object. Maps count with their pairs. */
export function hashValue(value: object): number {
  const known = hashes.get(value);
  if (known !== undefined) return known;
  const hash = hashText(
    JSON.stringify(value, (_, inner: unknown) => (inner instanceof Map ? [...inner] : inner)) ?? "",
  );
  hashes.set(value, hash);
  return hash;
}
