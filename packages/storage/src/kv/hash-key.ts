/**
 * A 32-bit hash of a string of bytes: FNV-1a, folded so that its low byte depends on every
 * byte of the key. The order of keys in a snapshot depends on it. It does not resist an attacker.
 */
export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) >>> 0;
}
