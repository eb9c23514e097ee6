import { describe, expect, test } from "vitest";
import { count, text } from "../statistics/cells.js";
import { markdownTable, plainTable } from "./table.js";

const COLUMNS = [text("clients", "clients"), count("puts/s", "putsPerSec")];
const RESULTS = [
  { clients: 1, putsPerSec: 1000 },
  { clients: 64, putsPerSec: 12_345_678 },
];

describe("a table", () => {
  test("for a terminal has its figures under each other", () => {
    expect(plainTable(COLUMNS, RESULTS)).toBe(
      ["clients      puts/s", "      1       1,000", "     64  12,345,678", ""].join("\n"),
    );
  });

  test("for Markdown has a line under its head", () => {
    expect(markdownTable(COLUMNS, RESULTS)).toBe(
      ["| clients | puts/s |", "| ---: | ---: |", "| 1 | 1,000 |", "| 64 | 12,345,678 |", ""].join("\n"),
    );
  });
});
