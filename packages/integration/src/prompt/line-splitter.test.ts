import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, text } from "../../test/support/bytes.js";
import { LineSplitter } from "./line-splitter.js";

/** Every line as text, `null` where it is too long. */
function splitAll(chunks: readonly Uint8Array[], maxBytes: number): (string | null)[] {
  const splitter = new LineSplitter(maxBytes);
  const found: (string | null)[] = [];
  const take = (line: { number: number; bytes: Uint8Array | null }): void => {
    expect(line.number).toBe(found.length + 1);
    found.push(line.bytes === null ? null : text(line.bytes));
  };
  for (const chunk of chunks) for (const line of splitter.push(chunk)) take(line);
  const last = splitter.end();
  if (last !== null) take(last);
  return found;
}

/** What the lines of a whole input are, said in the simplest way. */
function model(input: string, maxBytes: number): (string | null)[] {
  const lines = input.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, "")).map((line) => (line.length > maxBytes ? null : line));
}

describe("LineSplitter", () => {
  test.each([
    ["lines end at newlines, and the last needs none", ["a\nb"], ["a", "b"]],
    ["an input that ends with a newline has no empty line after it", ["a\n"], ["a"]],
    ["blank lines count", ["\n\na\n"], ["", "", "a"]],
    ["one carriage return belongs to the end of the line", ["a\r\nb\r\r\n\r\n"], ["a", "b\r", ""]],
    ["a carriage return alone ends nothing", ["a\rb\n"], ["a\rb"]],
    ["a line may span many chunks", ["a", "", "b", "c\nd", "\r", "\n"], ["abc", "d"]],
    [
      "a line as long as the limit passes, with either end",
      ["12345678\n12345678\r\n12345678"],
      ["12345678", "12345678", "12345678"],
    ],
    ["a longer line is passed over and counted", ["123456789\nab\n"], [null, "ab"]],
    [
      "a longer line over many chunks is passed over",
      ["12345", "6789", "abcdefghijklm", "\nok"],
      [null, "ok"],
    ],
    ["a longer line at the end of the input is told", ["ok\n12345", "67890"], ["ok", null]],
  ])("%s", (_, chunks, expected) => {
    expect(splitAll(chunks.map(bytes), 8)).toEqual(expected);
  });

  test("where chunks begin and end makes no difference", () => {
    const character = fc.constantFrom("a", "b", "\n", "\r", "\0", "\xff");
    fc.assert(
      fc.property(
        fc.array(fc.array(character, { maxLength: 12 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 10 }),
        (pieces, maxBytes) => {
          const chunks = pieces.map((piece) => piece.join(""));
          expect(splitAll(chunks.map(bytes), maxBytes)).toEqual(model(chunks.join(""), maxBytes));
        },
      ),
    );
  });

  test("a line of one-byte chunks is put together without a piece for each", () => {
    const splitter = new LineSplitter(100_000);
    const chunk = bytes("x");
    let lines = 0;
    for (let i = 0; i < 100_000; i += 1) lines += [...splitter.push(chunk)].length;
    expect(lines).toBe(0);
    expect(splitter.end()?.bytes?.length).toBe(100_000);
  });
});
