import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INT64_MAX, INT64_MIN, compareBytes, equalBytes, parseInteger, word } from "./parse.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

describe("integers", () => {
  test("of 64 bits are read exactly, as numbers where those are exact", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), (value) => {
        const read = parseInteger(bytes(String(value)));
        expect(BigInt(read ?? "nothing")).toBe(value);
        expect(typeof read).toBe(Number.isSafeInteger(Number(value)) ? "number" : "bigint");
      }),
    );
    expect([INT64_MAX, INT64_MIN].map((value) => parseInteger(bytes(String(value))))).toEqual([
      INT64_MAX,
      INT64_MIN,
    ]);
  });

  test.each([
    "",
    "-",
    "+1",
    " 1",
    "1 ",
    "01",
    "-0",
    "00",
    "1.0",
    "1e3",
    "x",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "1".repeat(30),
    "12\0",
  ])("%j is none", (text) => {
    expect(parseInteger(bytes(text))).toBeNull();
  });

  test("0 is one", () => {
    expect(parseInteger(bytes("0"))).toBe(0);
  });
});

test("bytes compare as memcmp has it, then by length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
    }),
  );
});

test("words are compared in upper case, and long ones are none", () => {
  expect([
    word(bytes("kEepTtl")),
    word(bytes("\xe9x[")),
    word(bytes("x".repeat(33))),
    word(undefined),
  ]).toEqual(["KEEPTTL", "\xe9X[", "", ""]);
});
