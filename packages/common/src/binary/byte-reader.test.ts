import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError, InvalidValueError } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

describe("ByteReader", () => {
  test("tells how far it has come", () => {
    const reader = new ByteReader("operation", new Uint8Array(10));
    reader.u32();
    expect([reader.offset, reader.remaining]).toEqual([4, 6]);
  });

  test("refuses bytes cut short anywhere, with the format and the offset", () => {
    const whole = new ByteWriter()
      .u8(1)
      .u32(2)
      .u64(3)
      .bytes(Uint8Array.of(4, 5, 6))
      .finish();
    const readAll = (bytes: Uint8Array): void => {
      const reader = new ByteReader("operation", bytes);
      reader.u8();
      reader.u32();
      reader.u64();
      reader.bytes();
      reader.end();
    };
    readAll(whole);
    for (let length = 0; length < whole.length; length++) {
      expect(() => readAll(whole.subarray(0, length))).toThrow(CodecError);
    }
    expect(() => readAll(whole.subarray(0, 3))).toThrow(
      "cannot decode operation at byte 1: 4 bytes expected, 2 left",
    );
  });

  test("stays where it was when something is missing", () => {
    const reader = new ByteReader("operation", Uint8Array.of(1, 2, 3));
    reader.u8();
    expect(() => reader.u32()).toThrow(CodecError);
    expect(reader.offset).toBe(1);
    expect(reader.u8()).toBe(2);
  });

  test("refuses bytes left over, and says how many", () => {
    const reader = new ByteReader("operation", Uint8Array.of(1, 2, 3));
    reader.u8();
    expect(() => reader.end()).toThrow("cannot decode operation at byte 1: 2 bytes too many");
  });

  test("does not believe a length field that claims more than there is", () => {
    const reader = new ByteReader("operation", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1));
    expect(() => reader.bytes()).toThrow("4294967295 bytes expected, 1 left");
  });

  test("reads a u64 of 2^53 - 1 and refuses 2^53, where it stopped", () => {
    expect(new ByteReader("x", Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255)).u64()).toBe(
      Number.MAX_SAFE_INTEGER,
    );
    const reader = new ByteReader("x", Uint8Array.of(9, 0, 0x20, 0, 0, 0, 0, 0, 0));
    reader.u8();
    expect(() => reader.u64()).toThrow("cannot decode x at byte 1: an integer past 2^53 - 1");
    expect(reader.offset).toBe(1);
  });

  test.each([-1, 1.5, Number.NaN])("refuses to read %d raw bytes, and does not move", (length) => {
    const reader = new ByteReader("x", Uint8Array.of(1, 2, 3));
    reader.u8();
    expect(() => reader.raw(length)).toThrow(InvalidValueError);
    expect(reader.offset).toBe(1);
  });

  test("reads from the middle of a larger buffer", () => {
    const part = Uint8Array.of(9, 9, 0, 0, 0, 5, 7, 9).subarray(2, 7);
    const reader = new ByteReader("x", part);
    expect(reader.u32()).toBe(5);
    expect([...reader.raw(1)]).toEqual([7]);
    reader.end();
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["a Uint8Array", (bytes) => bytes],
    ["a Buffer of Node.js, whose slice would share", (bytes) => Buffer.from(bytes)],
  ])("copies what it reads from %s", (_, wrap) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const source = wrap(bytes);
        const read = new ByteReader("x", source).raw(bytes.length);
        const before = [...bytes];
        source.fill(0xee);
        expect(read.constructor).toBe(Uint8Array);
        expect([...read]).toEqual(before);
      }),
    );
  });
});
