import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, text } from "../../test/support/bytes.js";
import { BadLineError } from "./bad-line-error.js";
import { quote } from "./quote.js";
import { splitArguments } from "./split-arguments.js";

function split(line: string): string[] {
  return splitArguments(bytes(line)).map(text);
}

describe("splitArguments", () => {
  test.each([
    ["a blank line has no arguments", " \t\v\f\r ", []],
    ["words stand apart by any white space", "  SET\ta \r b  ", ["SET", "a", "b"]],
    ["a vertical tab or form feed inside a word belongs to it", "a\vb\fc", ["a\vb\fc"]],
    ["a zero byte and bytes above 127 are ordinary", "a\0b \xff\xfe\xc3(", ["a\0b", "\xff\xfe\xc3("]],
    ["outside quotes a backslash is ordinary", String.raw`a\nb \x41`, [String.raw`a\nb`, String.raw`\x41`]],
    ["quotes hold spaces together", `"a b" 'c  d'`, ["a b", "c  d"]],
    ["empty quotes are an empty argument", `"" ''`, ["", ""]],
    ["control bytes have letters", String.raw`"\n\r\t\b\a"`, ["\n\r\t\b\x07"]],
    ["any byte can be written in hexadecimal, in either case", String.raw`"\x00\xfF\xAb"`, ["\0\xff\xab"]],
    ["a hexadecimal escape that is not whole is the letter x", String.raw`"\x4 \xg1 \x"`, ["x4 xg1 x"]],
    ["a backslash before any other byte stands for that byte", String.raw`"\"\\\q\'"`, [`"\\q'`]],
    [
      "between single quotes only the single quote is special",
      String.raw`'it\'s \n \\ "'`,
      [String.raw`it's \n \\ "`],
    ],
    ["a quote may open inside a word", `a"b c"`, ["ab c"]],
    ["a closing quote may be followed by any white space", `"a"\v"b"`, ["a", "b"]],
  ])("%s", (_, line, expected) => {
    expect(split(line)).toEqual(expected);
  });

  test.each([
    [`"a`, "column 1 is not closed"],
    [`GET 'a`, "column 5 is not closed"],
    [String.raw`"a\"`, "column 1 is not closed"],
    [String.raw`"a\ `.trimEnd(), "column 1 is not closed"],
    [`"a"b`, "column 3 must be followed by a space"],
    [`'a'"b"`, "column 3 must be followed by a space"],
  ])("%s is refused, and the error names the column", (line, problem) => {
    expect(() => split(line)).toThrow(BadLineError);
    expect(() => split(line)).toThrow(problem);
  });

  test("any arguments, quoted and joined by spaces, come back as they were", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (args) => {
        const line = bytes(args.map(quote).join(" "));
        expect(splitArguments(line).map(text)).toEqual(args.map(text));
      }),
    );
  });

  test("any line is either split or refused as a bad line", () => {
    const byte = fc.constantFrom(...bytes(`"'\\xn4 a\t\0\xff`));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 30 }), (line) => {
        try {
          for (const argument of splitArguments(Uint8Array.from(line))) {
            expect(argument.length).toBeLessThanOrEqual(line.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(BadLineError);
        }
      }),
    );
  });
});

describe("quote", () => {
  test("writes printable ASCII as it is and names or numbers the rest, as redis-cli does", () => {
    expect(quote(bytes(`a "b" \\ \n\r\t\b\x07 \0 \x1b \x7f \xc3\xa9`))).toBe(
      String.raw`"a \"b\" \\ \n\r\t\b\a \x00 \x1b \x7f \xc3\xa9"`,
    );
  });

  test("is always one line of printable ASCII", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        expect(quote(value)).toMatch(/^"[ -~]*"$/);
      }),
    );
  });
});
