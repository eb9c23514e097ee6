import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "./crc32.js";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("crc32", () => {
  test.each<[string, Uint8Array, number]>([
    ["nothing", new Uint8Array(0), 0],
    ["the catalogue's check input 123456789", text("123456789"), 0xcbf43926],
    ["a", text("a"), 0xe8b7be43],
    ["abc", text("abc"), 0x352441c2],
    ["a pangram", text("The quick brown fox jumps over the lazy dog"), 0x414fa339],
    ["32 zero bytes", new Uint8Array(32), 0x190a55ad],
    ["32 bytes of 0xff", new Uint8Array(32).fill(0xff), 0xff6cab0b],
  ])("gives the known checksum of %s", (_, bytes, expected) => {
    expect(crc32(bytes)).toBe(expected);
  });

  test("agrees with zlib on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      }),
    );
  });

  test("over a stream equals that of the whole, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
        const streamed = chunks.reduce((sum, chunk) => crc32(chunk, sum), 0);
        expect(streamed).toBe(crc32(whole));
      }),
    );
  });

  test("notices any single flipped bit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
        const damaged = bytes.slice();
        damaged[at % bytes.length] = (bytes[at % bytes.length] as number) ^ (1 << bit);
        expect(crc32(damaged)).not.toBe(crc32(bytes));
      }),
    );
  });
});
