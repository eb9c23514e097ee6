import { crc32c } from "./crc32c.js";
import { HEADER_BYTES, blockAfter, unmask } from "./fragments.js";

const SECTOR_BYTES = 512;

/**
 * Whether what begins at byte `at`, and is no fragment, looks like what a power failure leaves of one that was never synced: the file ends
 * too early, or a whole sector of it is zeros. A file that only grows never holds anything else of a write but what was written.
 *
 * What a fragment says of its own length need not be true, so all of its block is looked at.
 */
export function looksUnwritten(bytes: Uint8Array, at: number): boolean {
  if (isWholeOfOtherLength(bytes, at)) return false;
  const end = blockAfter(at);
  if (bytes.length < end) {
    const { length } = bytes;
    if (length < at + HEADER_BYTES) return true;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const claimed = at + HEADER_BYTES + view.getUint16(at + 4, true);
    if (claimed > length && claimed <= end) return true;
  }
  const stop = Math.min(end, bytes.length);
  for (let sector = Math.floor(at / SECTOR_BYTES) * SECTOR_BYTES; sector < stop; sector += SECTOR_BYTES) {
    const from = Math.max(sector, at);
    const to = Math.min(sector + SECTOR_BYTES, stop);
    if (bytes.subarray(from, to).every((byte) => byte === 0)) return true;
  }
  return false;
}

/** The length is not under the checksum. Where that matches what is there up to some other byte, all was written, and the length is damaged. */
function isWholeOfOtherLength(bytes: Uint8Array, at: number): boolean {
  if (at + HEADER_BYTES > bytes.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = unmask(view.getUint32(at, true));
  const stop = Math.min(blockAfter(at), bytes.length);
  let found = 0;
  for (let end = at + HEADER_BYTES - 1; end < stop; end++) {
    found = crc32c(bytes, end, end + 1, found);
    if (found === checksum) return true;
  }
  return false;
}
