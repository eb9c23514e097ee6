/** How many slots keys are spread over, as in Redis Cluster. All of them are served by the one leader. */
export const SLOTS = 16_384;

const OPEN = 123;
const CLOSE = 125;
const POLYNOMIAL = 0x1021;

const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/** The slot of a key: CRC-16 (XMODEM) of what stands between the first `{` and the next `}`, or of all of it. */
export function keySlot(key: Uint8Array): number {
  let from = 0;
  let to = key.length;
  const open = key.indexOf(OPEN);
  const close = open < 0 ? -1 : key.indexOf(CLOSE, open + 1);
  if (close > open + 1) [from, to] = [open + 1, close];
  let crc = 0;
  for (let i = from; i < to; i++) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[((crc >>> 8) ^ (key[i] as number)) & 0xff] as number);
  }
  return crc % SLOTS;
}
