/*
 * Everything of a node stands in one column family of one database, told apart by the first byte of the key:
 *
 *   "a"                        how far the state machine has come (with its data on disk only)
 *   "c"                        the hint of what is committed
 *   "d" generation u32, hash u8, key    the key-value state machine's data
 *   "i"                        whose store it is
 *   "j"                        the number of the last record of the journal that is in the database
 *   "l" index u64              entries of the log, from that index on
 *   "p"                        what was purged of the log
 *   "s" id u64                 a session (with the state machine's data on disk only)
 *   "v"                        the vote
 *
 * Integers are big-endian, so that keys stand in the order of numbers.
 */
export const APPLIED_KEY: Uint8Array = Uint8Array.of(0x61);
export const COMMITTED_KEY: Uint8Array = Uint8Array.of(0x63);
export const IDENTITY_KEY: Uint8Array = Uint8Array.of(0x69);
export const JOURNALED_KEY: Uint8Array = Uint8Array.of(0x6a);
export const PURGED_KEY: Uint8Array = Uint8Array.of(0x70);
export const VOTE_KEY: Uint8Array = Uint8Array.of(0x76);

const LOG_PREFIX = 0x6c;
const SESSION_PREFIX = 0x73;
const DATA_PREFIX = 0x64;

/** Before the first block of the log, and after the last. */
export const LOG_START: Uint8Array = Uint8Array.of(LOG_PREFIX);
export const LOG_END: Uint8Array = Uint8Array.of(LOG_PREFIX + 1);
/** Before the first session, and after the last. */
export const SESSIONS_START: Uint8Array = Uint8Array.of(SESSION_PREFIX);
export const SESSIONS_END: Uint8Array = Uint8Array.of(SESSION_PREFIX + 1);
/** Before the first byte of data, and after the last. */
export const DATA_START: Uint8Array = Uint8Array.of(DATA_PREFIX);
export const DATA_END: Uint8Array = Uint8Array.of(DATA_PREFIX + 1);

/** The key of the block of the log that begins with the entry at `index`. */
export function logKey(index: number): Uint8Array {
  return numbered(LOG_PREFIX, index);
}

/** The index in a key of {@link logKey}. */
export function indexOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return view.getUint32(1) * 0x1_0000_0000 + view.getUint32(5);
}

export function sessionKey(id: number): Uint8Array {
  return numbered(SESSION_PREFIX, id);
}

/** The beginning of every key of a generation of the data. */
export function generationKey(generation: number): Uint8Array {
  const key = new Uint8Array(5);
  writeGenerationKey(key, 0, generation);
  return key;
}

/** Writes it at `at`. No `DataView`: data has one of these before each of its keys. */
export function writeGenerationKey(bytes: Uint8Array, at: number, generation: number): void {
  bytes[at] = DATA_PREFIX;
  bytes[at + 1] = generation >>> 24;
  bytes[at + 2] = generation >>> 16;
  bytes[at + 3] = generation >>> 8;
  bytes[at + 4] = generation;
}

function numbered(prefix: number, value: number): Uint8Array {
  const key = new Uint8Array(9);
  const view = new DataView(key.buffer);
  key[0] = prefix;
  view.setUint32(1, Math.floor(value / 0x1_0000_0000));
  view.setUint32(5, value >>> 0);
  return key;
}
