import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyInteger } from "../../test/arbitraries.js";
import { InvalidValueError } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("ByteWriter", () => {
  test("writes integers big-endian, so that encoded numbers sort as numbers", () => {
    expect(hex(new ByteWriter().u8(0xab).finish())).toBe("ab");
    expect(hex(new ByteWriter().u32(0x0102_0304).finish())).toBe("01020304");
    expect(hex(new ByteWriter().u64(0x0001_0203_0405_06).finish())).toBe("0000010203040506");
  });

  test.each<[number, string]>([
    [0, "0000000000000000"],
    [0xffff_ffff, "00000000ffffffff"],
    [0x1_0000_0000, "0000000100000000"],
    [0x8000_0000, "0000000080000000"],
    [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
  ])("writes the u64 %d exactly", (value, expected) => {
    expect(hex(new ByteWriter().u64(value).finish())).toBe(expected);
  });

  test("puts the length before bytes, and nothing before raw ones", () => {
    const value = Uint8Array.of(7, 8);
    expect(hex(new ByteWriter().bytes(value).finish())).toBe("000000020708");
    expect(hex(new ByteWriter().raw(value).finish())).toBe("0708");
  });

  test.each<[string, (writer: ByteWriter) => ByteWriter]>([
    ["a u8 of 256", (writer) => writer.u8(256)],
    ["a u8 of -1", (writer) => writer.u8(-1)],
    ["a u8 with a fraction", (writer) => writer.u8(1.5)],
    ["a u32 of 2^32", (writer) => writer.u32(0x1_0000_0000)],
    ["a u32 of -1", (writer) => writer.u32(-1)],
    ["a u32 that is not a number", (writer) => writer.u32(Number.NaN)],
    ["a u64 of 2^53", (writer) => writer.u64(Number.MAX_SAFE_INTEGER + 1)],
    ["a u64 of -1", (writer) => writer.u64(-1)],
  ])("refuses %s instead of wrapping it, and writes nothing", (_, write) => {
    const writer = new ByteWriter();
    expect(() => write(writer)).toThrow(InvalidValueError);
    expect(writer.length).toBe(0);
  });

  test("refuses a capacity that is no size", () => {
    expect(() => new ByteWriter(-1)).toThrow("capacity is -1");
  });

  test("grows past its capacity, even from 0, and keeps what was written", () => {
    fc.assert(
      fc.property(fc.nat(16), fc.array(fc.uint8Array({ maxLength: 100 })), (capacity, chunks) => {
        const writer = new ByteWriter(capacity);
        for (const chunk of chunks) writer.raw(chunk);
        const written = writer.finish();
        expect([...written]).toEqual(chunks.flatMap((chunk) => [...chunk]));
        expect(writer.length).toBe(written.length);
      }),
    );
  });

  test("writes a u32 over bytes that were written before, and over no others", () => {
    const writer = new ByteWriter(0).u8(1).u32(0).u8(2);
    expect(hex(writer.patchU32(1, 0xdead_beef).finish())).toBe("01deadbeef02");
    expect(() => writer.patchU32(3, 0)).toThrow("at is 3, but it must be at most 2");
    expect(() => writer.patchU32(-1, 0)).toThrow(InvalidValueError);
    expect(() => writer.patchU32(0, 2 ** 32)).toThrow("u32 is 4294967296");
    expect(hex(writer.finish())).toBe("01deadbeef02");
  });

  test("shows what was written from anywhere on, without a copy", () => {
    const writer = new ByteWriter(8).u8(1).u32(2);
    expect(hex(writer.written())).toBe("0100000002");
    const part = writer.written(1);
    expect(hex(part)).toBe("00000002");
    writer.patchU32(1, 3);
    expect(hex(part)).toBe("00000003");
  });

  test("finish gives a copy of its own memory, untouched by later writes", () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.finish();
    first[0] = 99;
    writer.u8(2);
    expect([...first]).toEqual([99]);
    expect([...writer.finish()]).toEqual([1, 2]);
    expect(first.buffer.byteLength).toBe(1);
  });
});

describe("cut", () => {
  test("takes back what was written last, and goes on from there", () => {
    const writer = new ByteWriter(2).u32(0x0102_0304);
    writer.cut(1);
    expect(writer.length).toBe(1);
    expect(hex(writer.u8(9).finish())).toBe("0109");
  });

  test.each([-1, 1.5, 5])("refuses %d of 4 bytes, and takes nothing back", (length) => {
    const writer = new ByteWriter().u32(7);
    expect(() => writer.cut(length)).toThrow(InvalidValueError);
    expect(hex(writer.finish())).toBe("00000007");
  });
});

describe("what ByteWriter writes", () => {
  const anyField = fc.oneof(
    fc.record({ type: fc.constant("u8" as const), value: fc.nat(0xff) }),
    fc.record({ type: fc.constant("u32" as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
    fc.record({ type: fc.constant("u64" as const), value: anyInteger }),
    fc.record({ type: fc.constant("bytes" as const), value: fc.uint8Array() }),
  );

  test("ByteReader reads back, field by field, to the end", () => {
    fc.assert(
      fc.property(fc.array(anyField), (fields) => {
        const writer = new ByteWriter(0);
        for (const field of fields) {
          if (field.type === "bytes") writer.bytes(field.value);
          else writer[field.type](field.value);
        }
        const reader = new ByteReader("fields", writer.finish());
        for (const field of fields) expect(reader[field.type]()).toEqual(field.value);
        reader.end();
      }),
    );
  });

  test("sorts as bytes the way u64s sort as numbers", () => {
    fc.assert(
      fc.property(anyInteger, anyInteger, (a, b) => {
        const [x, y] = [a, b].map((value) => hex(new ByteWriter().u64(value).finish())) as [string, string];
        expect(x < y).toBe(a < b);
      }),
    );
  });
});
