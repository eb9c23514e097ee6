/*
 * The content of a snapshot:
 *
 *   snapshot   = frame *
 *   frame      = length u32, payload, checksum u32: the CRC-32 of all payloads up to and with this one
 *
 * The first frame is the head, and the last one is empty. Between them stand items, which are never torn apart; a frame is
 * full at 64 KiB, and longer only for an item that is.
 *
 *   head       = magic "SKVD", version u8 = 1, seeded u8, seed u32 u32, clock u64, fields u8, field u64 *, keys u64
 *   item       = a key, and behind a key that is no string its elements
 *   key        = type u8, version u64, deadline u64 (0: none), length u32, key,
 *                a string: length u32, bytes; else: count of elements u64
 *   element    = hash: field, value; set: member; sorted set: score f64, member; list: element; each length u32, bytes
 *
 * Integers are big-endian. Keys rise by (hash, key), fields of hashes and members of sets too, members of sorted sets by (score, member); so
 * equal states are equal bytes, and nothing comes twice.
 */
export const FORMAT = "key-value snapshot";
/** "SKVD" in ASCII. */
export const MAGIC = 0x534b5644;
export const VERSION = 1;
/** A frame that has so much is full. */
export const FRAME_BYTES = 65_536;
/** Chunks are not longer. */
export const CHUNK_BYTES = 65_536;

export const TYPES = ["string", "hash", "list", "set", "zset"] as const;
