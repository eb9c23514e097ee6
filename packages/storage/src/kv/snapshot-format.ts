/**
 * The content of a snapshot of the key-value state machine:
 *
 *   snapshot = magic "SKVS", version u8 = 1, count u64, entry * count, checksum u32
 *   entry    = key length u32, key, value length u32, value
 *
 * Integers are big-endian. Keys rise strictly, by the low byte of their hash (`hash-key.ts`) and then as
 * bytes: so equal states are equal bytes, and no key comes twice. The checksum is the CRC-32 of everything before it.
 */
export const SNAPSHOT_FORMAT = "key-value snapshot";
/** "SKVS" in ASCII. */
export const SNAPSHOT_MAGIC = 0x534b5653;
export const SNAPSHOT_VERSION = 1;
/** Magic, version and count. */
export const SNAPSHOT_HEADER_BYTES = 13;
/** Snapshots are written in chunks of this length; the last one may be shorter. */
export const SNAPSHOT_CHUNK_BYTES = 65_536;
