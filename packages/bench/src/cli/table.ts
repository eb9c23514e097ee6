import type { BenchResult, Column } from "../bench.js";

/** A table for a terminal: columns to the right, as figures stand. */
export function plainTable(columns: readonly Column[], results: readonly BenchResult[]): string {
  const rows = [
    columns.map(({ title }) => title),
    ...results.map((result) => columns.map(({ cell }) => cell(result))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  return rows
    .map((row) => `${row.map((cell, i) => cell.padStart(widths[i] as number)).join("  ")}\n`)
    .join("");
}

/** The same as a table of Markdown. */
export function markdownTable(columns: readonly Column[], results: readonly BenchResult[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(() => "---:")),
    ...results.map((result) => line(columns.map(({ cell }) => cell(result)))),
  ].join("");
}
