/** CRC-32C (Castagnoli), by tables for eight bytes at a time. */
const TABLES: readonly Uint32Array[] = makeTables();

function makeTables(): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  const [first] = tables as [Uint32Array];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
    first[byte] = crc >>> 0;
  }
  for (let slice = 1; slice < 8; slice++) {
    const [table, before] = [tables[slice] as Uint32Array, tables[slice - 1] as Uint32Array];
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number;
      table[byte] = ((crc >>> 8) ^ (first[crc & 0xff] as number)) >>> 0;
    }
  }
  return tables;
}

/** The checksum of `bytes` from `start` to `end`, or of those behind what has the checksum `before`. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const b = bytes;
  let crc = ~before;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc =
      (t7[(crc ^ (b[at] as number)) & 0xff] as number) ^
      (t6[((crc >>> 8) ^ (b[at + 1] as number)) & 0xff] as number) ^
      (t5[((crc >>> 16) ^ (b[at + 2] as number)) & 0xff] as number) ^
      (t4[((crc >>> 24) ^ (b[at + 3] as number)) & 0xff] as number) ^
      (t3[b[at + 4] as number] as number) ^
      (t2[b[at + 5] as number] as number) ^
      (t1[b[at + 6] as number] as number) ^
      (t0[b[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (b[at] as number)) & 0xff] as number);
  return (crc ^ -1) >>> 0;
}
