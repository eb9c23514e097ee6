import { expect, test } from "vitest";
import { crc32c } from "./crc32c.js";

test("is CRC-32C: the values of RFC 3720, section B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, at) => at);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  expect(crc32c(ascending)).toBe(0x46dd_794e);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe306_9283);
});

test("takes a part of the bytes, of any length, as it takes a copy of that part", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, at) => (at * 37) & 0xff);
  for (let start = 0; start < 12; start++) {
    for (let end = start; end < 64; end += 3)
      expect(crc32c(bytes, start, end)).toBe(crc32c(bytes.slice(start, end)));
  }
});
