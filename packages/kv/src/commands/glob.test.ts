import { describe, expect, test } from "vitest";
import { Work } from "../work.js";
import { matchesGlob } from "./glob.js";

const matches = (pattern: string, text: string): boolean =>
  matchesGlob(Buffer.from(pattern), Buffer.from(text), new Work());

describe("patterns", () => {
  test.each([
    ["*", "anything", true],
    ["*", "", true],
    ["**", "", false],
    ["", "", true],
    ["", "a", false],
    ["h?llo", "hello", true],
    ["h?llo", "hllo", false],
    ["h*llo", "heeeello", true],
    ["h*llo", "hll", false],
    ["h[ae]llo", "hallo", true],
    ["h[ae]llo", "hillo", false],
    ["h[^e]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[a-c]llo", "hbllo", true],
    ["h[c-a]llo", "hbllo", true],
    ["h[a-c]llo", "hdllo", false],
    [String.raw`h[\]]llo`, "h]llo", true],
    [String.raw`h\*llo`, "h*llo", true],
    [String.raw`h\*llo`, "hello", false],
    ["\\", "\\", true],
    ["[", "[", false],
    ["[^", "x", true],
    ["k:[12", "k:1", true],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "abcabd", false],
    ["*ab", "aab", true],
    ["a*aab", "aaaab", true],
    ["a*", "a", true],
    ["*a", "bab", false],
    ["a**", "a", true],
    ["a*?", "a", false],
    ["[a-]x", "-x", false],
    ["[a-]x", "^", true],
    ["A", "a", false],
  ])("%s and %s: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test("of many stars take no time", () => {
    expect(matches(`${"a*".repeat(2000)}b`, "a".repeat(4000))).toBe(false);
  });

  test("whose comparison would take too long is given up", () => {
    const work = new Work();
    work.begin(10_000_000);
    const pattern = Buffer.from(`*[${"x".repeat(60_000)}]`);
    expect(() => matchesGlob(pattern, Buffer.from("a".repeat(60_000)), work)).toThrow("units of work");
    expect(work.spent).toBeGreaterThan(9_000_000);
  });
});
