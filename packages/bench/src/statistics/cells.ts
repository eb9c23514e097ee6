import type { BenchResult, Column } from "../bench.js";

/** Columns of a table by the field of the result that they show. A field that is not there shows as `-`. */
function column(title: string, field: string, show: (value: number) => string): Column {
  const cell = (result: BenchResult): string => {
    const value = result[field];
    return typeof value === "number" ? show(value) : "-";
  };
  return { title, cell };
}

/** As it stands. */
export function text(title: string, field: string): Column {
  return { title, cell: (result) => String(result[field] ?? "-") };
}

/** With separators, as in `1,234,567`. */
export function count(title: string, field: string): Column {
  return column(title, field, grouped);
}

/** How much one is of another, as in `1.25`. */
export function ratio(title: string, field: string): Column {
  return column(title, field, (value) => value.toFixed(3));
}

/** How many times another, as in `4.2 x`. */
export function times(title: string, field: string): Column {
  return column(title, field, (value) => `${value.toFixed(1)} x`);
}

/** A share, as a percentage. */
export function percent(title: string, field: string): Column {
  return column(title, field, (value) => `${(value * 100).toFixed(1)} %`);
}

/** Three digits that count. */
export function micros(title: string, field: string): Column {
  return column(title, field, (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3)));
}

/** With separators; small figures keep their digits: shares and times stand beside counts. */
export function grouped(value: number): string {
  return Math.abs(value) < 100
    ? String(Number(value.toPrecision(4)))
    : Math.round(value).toLocaleString("en-US");
}
