import { describe, expect, test } from "vitest";
import { count, micros, percent, ratio, text } from "./cells.js";

describe("cells", () => {
  test.each([
    [count("", "a"), 1_234_567.4, "1,234,567"],
    [count("", "a"), 0.25, "0.25"],
    [percent("", "a"), 0.1234, "12.3 %"],
    [micros("", "a"), 1234.5, "1235"],
    [micros("", "a"), 1.2345, "1.23"],
    [ratio("", "a"), 1.0504, "1.050"],
    [text("", "a"), 64, "64"],
  ])("show a figure with the digits that mean something (%#)", (column, value, shown) => {
    expect(column.cell({ a: value })).toBe(shown);
  });

  test("show a dash where there is no figure", () => {
    for (const make of [count, percent, micros, ratio, text]) expect(make("", "b").cell({ a: 1 })).toBe("-");
  });
});
