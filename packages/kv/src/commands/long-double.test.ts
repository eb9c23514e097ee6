import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LongDouble } from "./long-double.js";

const parse = (text: string): LongDouble => LongDouble.parse(new Uint8Array(Buffer.from(text, "latin1")));

describe("long doubles", () => {
  // Left and right as redis-server 7.0.15 on x86-64 adds and prints them.
  test.each([
    ["0", "0.1", "0.1"],
    ["0.1", "0.2", "0.3"],
    ["3.0e3", "1.23", "3001.22999999999999998"],
    ["3", "-0", "3"],
    ["10.50", "0.1", "10.6"],
    ["5.0e3", "2.0e2", "5200"],
    ["1e17", "1", "100000000000000001"],
    ["9223372036854775807", "1", "9223372036854775808"],
    ["18446744073709551615", "1", "18446744073709551616"],
    ["18446744073709551616", "1", "18446744073709551616"],
    ["-1.5", "1.5", "0"],
    ["1e-17", "0", "0.00000000000000001"],
    ["1e-18", "0", "0"],
    ["-1e-18", "0", "0"],
    ["0x10", "0x1p-1", "16.5"],
    [".5", "5.", "5.5"],
    ["123456789012345678901234567890", "0", "123456789012345678899921813504"],
  ])("%s and %s is %s", (a, b, sum) => {
    expect(parse(a).plus(parse(b)).format()).toBe(sum);
  });

  test.each([
    "",
    " 1",
    "1 ",
    "abc",
    "nan",
    "1e5000",
    "1e-5000",
    "--1",
    "1e",
    "1_000",
    "0x",
    ".",
    "1e999999999999",
  ])("%j is none", (text) => {
    expect(() => parse(text)).toThrow("ERR value is not a valid float");
  });

  test("infinity is one, and nothing can be added to it", () => {
    for (const text of ["inf", "-INF", "+infinity"]) expect(parse(text).isFinite).toBe(false);
    expect(parse("inf").plus(parse("-inf")).isFinite).toBe(false);
    expect(parse("1e4932").plus(parse("1e4932")).isFinite).toBe(false);
  });

  test("integers of 63 bits are exact, and their sums", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        (a, b) => {
          expect(
            parse(String(a))
              .plus(parse(String(b)))
              .format(),
          ).toBe(String(a + b));
        },
      ),
    );
  });

  test("below 64, what is printed is what was read", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -59_999_999, max: 59_999_999 }),
        fc.integer({ min: 6, max: 9 }),
        (digits, behind) => {
          const text = (digits / 10 ** behind).toFixed(behind);
          const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
          expect(parse(text).format()).toBe(shortest === "-0" ? "0" : shortest);
        },
      ),
    );
  });
});
