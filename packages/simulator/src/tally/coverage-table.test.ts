import { expect, test } from "vitest";
import { ACT_TYPES } from "../faults/act.js";
import { coverageTable, missing } from "./coverage-table.js";
import { PROTOCOL_ROWS } from "./protocol-coverage.js";

test("a coverage table says how often what happened, and what never did", () => {
  const table = coverageTable(
    new Map([
      ["crash", 3],
      ["snapshot: sent", 12],
      ["transfer: timeout", 1],
      ["purge: not possible", 0],
    ]),
  );
  expect(table).toMatch(/^Faults and operations\n {2}crash {2,}3\n {2}crashAll {2,}never\n/);
  expect(table).toMatch(/^What the protocol came to\n(?:.*\n)* {2}snapshot: sent {2,}12\n/m);
  expect(table).toMatch(/\nBeside that\n {2}transfer: timeout {2,}1$/);
  expect(table).not.toContain("purge: not possible");
});

test("what is missing is all that was wanted and did not happen", () => {
  const all = missing(new Map());
  expect(all).toEqual(
    expect.arrayContaining([...ACT_TYPES, ...PROTOCOL_ROWS, "disk diskFull", "messages late"]),
  );
  expect(new Set(all).size).toBe(all.length);
  const happened = new Map(all.map((row) => [row, 1]));
  expect(missing(happened)).toStrictEqual([]);
  happened.set("crash", 0);
  expect(missing(happened)).toStrictEqual(["crash"]);
});
