import { describe, expect, test } from "vitest";
import type { WriteOutcome } from "../load/clients.js";
import type { JournalLine } from "../machine/journal-machine.js";
import { sumOf } from "../machine/journal-machine.js";
import { checkJournals, checkSums } from "./check-journals.js";

const acknowledged = (index: number, call: number, ret: number): WriteOutcome => ({
  status: "acknowledged",
  index,
  call,
  ret,
});
const OUTCOMES = new Map<number, WriteOutcome>([
  [1, acknowledged(5, 1, 4)],
  [2, acknowledged(7, 2, 5)],
  [3, { status: "unknown" }],
  [4, { status: "refused" }],
  [6, acknowledged(0, 3, 6)],
]);
const LINES: readonly JournalLine[] = [
  [5, 1],
  [7, 2],
  [9, 6],
];

const check = (...journals: (readonly JournalLine[])[]): unknown =>
  checkJournals(
    1,
    journals.map((lines, at) => ({ id: at + 1, lines, sums: [] })),
    OUTCOMES,
  );

describe("the journals of a round", () => {
  test("are as they have to be, with the unknown write or without it", () => {
    expect(check(LINES, LINES, LINES)).toEqual(sumOf(1, LINES));
    const more: readonly JournalLine[] = [...LINES, [10, 3]];
    expect(check(more, more, more)).toEqual(sumOf(1, more));
  });

  test.each<[string, readonly JournalLine[], string]>([
    ["an acknowledged write is missing", [LINES[0], LINES[2]] as JournalLine[], "write 2 was acknowledged"],
    [
      "it stands elsewhere",
      [[5, 1], [8, 2], LINES[2]] as JournalLine[],
      "at index 7, and node 1 applied it at 8",
    ],
    ["it is there twice", [...LINES, [11, 2]], "write 2 at index 11 twice"],
    ["an unknown one is there twice", [...LINES, [10, 3], [11, 3]], "write 3 at index 11 twice"],
    ["a refused one is there", [...LINES, [10, 4]], "write 4 at index 10, which was refused"],
    ["one is there that nobody wrote", [...LINES, [10, 77]], "write 77 at index 10, which nobody wrote"],
    ["the order is not that of the log", [LINES[1], LINES[0], LINES[2]] as JournalLine[], "after index 7"],
  ])("%s: it is found", (_, lines, message) => {
    expect(() => check(lines, lines, lines)).toThrow(message);
  });

  test("differ between nodes: it is found, and where", () => {
    expect(() => check(LINES, LINES.slice(0, 2))).toThrow(
      "at place 2 node 1 applied write 6 at index 9, and node 2 nothing",
    );
    expect(() => check(LINES, LINES, [...LINES, [10, 3]])).toThrow("node 3 write 3 at index 10");
    expect(() =>
      check(LINES, [
        [5, 1],
        [6, 2],
        [9, 6],
      ]),
    ).toThrow("node 2 write 2 at index 6");
  });

  test("a write stands before one that was acknowledged before it was called: it is found", () => {
    const outcomes = new Map([
      [1, acknowledged(9, 1, 2)],
      [2, acknowledged(8, 3, 4)],
    ]);
    const lines: readonly JournalLine[] = [
      [8, 2],
      [9, 1],
    ];
    expect(() => checkJournals(1, [{ id: 1, lines, sums: [] }], outcomes)).toThrow(
      "write 2 at index 8 was called after write 1 at index 9 was acknowledged",
    );
  });
});

describe("the sums of earlier rounds", () => {
  const sum = sumOf(1, LINES);
  const known = new Map([[1, sum]]);

  test("are what they were", () => {
    expect(() => checkSums([{ id: 1, lines: [], sums: [sum, sumOf(2, [])] }], known)).not.toThrow();
  });

  test.each([
    ["gone", [], "node 2 has nothing by now"],
    [
      "of fewer writes",
      [sumOf(1, LINES.slice(0, 2))],
      "of the 3 writes of round 1 node 2 has 2 others by now",
    ],
    ["of other writes", [sumOf(1, [...LINES.slice(0, 2), [9, 5]])], "3 others"],
  ])("are %s: it is found", (_, sums, message) => {
    expect(() => checkSums([{ id: 2, lines: [], sums }], known)).toThrow(message);
  });
});
