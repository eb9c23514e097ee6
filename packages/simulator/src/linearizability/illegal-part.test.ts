import { describe, expect, test } from "vitest";
import { checkLinearizability } from "./check-linearizability.js";
import type { IllegalPart } from "./illegal-part.js";
import { registerModel } from "./models/register.js";
import type { RegisterInput, RegisterOutput } from "./models/register.js";
import type { Operation } from "./operation.js";

type Op = Operation<RegisterInput, RegisterOutput>;
type Part = IllegalPart<RegisterInput, RegisterOutput>;

const write = (value: number, call: number, ret: number): Op => {
  return { client: value, input: { f: "write", value }, call, ret, status: "ok", output: null };
};
const read = (output: number | null, call: number, ret: number): Op => {
  return { client: `r${call}`, input: { f: "read" }, call, ret, status: "ok", output };
};
const lost = (value: number, call: number): Op => {
  return { client: value, input: { f: "write", value }, call, status: "unknown" };
};

function partOf(history: readonly Op[]): Part {
  const result = checkLinearizability(history, registerModel());
  if (result.verdict !== "illegal") throw new Error(result.verdict);
  return result.part;
}

function roles({ operations }: Part): (readonly [number, string])[] {
  return operations.map(({ index, role }) => [index, role]);
}

describe("the smallest illegal part", () => {
  test("of a stale read has both writes: without either the read could be explained", () => {
    const history = [
      write(7, 0, 1),
      read(7, 2, 3),
      write(1, 4, 5),
      write(2, 6, 7),
      read(2, 8, 9),
      read(1, 10, 11),
    ];
    const part = partOf([...history, write(3, 12, 13), read(3, 14, 15)]);
    expect(roles(part)).toEqual([
      [2, "needed"],
      [3, "needed"],
      [5, "culprit"],
    ]);
    expect(part).toMatchObject({ order: [2, 3], leftOut: 5, smallest: true });
  });

  test("of a value that nobody wrote is that read alone", () => {
    const part = partOf([write(1, 0, 1), read(1, 2, 3), read(9, 4, 5)]);
    expect(roles(part)).toEqual([[2, "culprit"]]);
    expect(part).toMatchObject({ order: [], leftOut: 2 });
  });

  test("keeps what was read, even if nobody knows whether it happened", () => {
    const part = partOf([write(1, 0, 1), lost(2, 2), read(2, 3, 4), read(1, 5, 6)]);
    expect(roles(part)).toEqual([
      [0, "needed"],
      [1, "context"],
      [2, "needed"],
      [3, "culprit"],
    ]);
    expect(part.order).toEqual([0, 1, 2]);
  });

  test("ends where it first goes wrong, and takes what is open there for unknown", () => {
    const part = partOf([write(1, 0, 1), write(2, 2, 50), read(2, 3, 4), read(1, 5, 6), read(9, 60, 61)]);
    expect(roles(part)).toEqual([
      [0, "needed"],
      [1, "context"],
      [2, "needed"],
      [3, "culprit"],
    ]);
    expect(part.operations[1]?.operation).toEqual({
      client: 2,
      input: { f: "write", value: 2 },
      call: 2,
      status: "unknown",
      ret: null,
    });
  });

  test("does not blame the answer of an operation on what had returned before it", () => {
    // When the read returns, the compare-and-set may still succeed; that it says it did not is what cannot be.
    const cas: Op = {
      client: "c",
      input: { f: "cas", expected: 1, value: 2 },
      call: 2,
      ret: 9,
      status: "ok",
      output: false,
    };
    const part = partOf([write(1, 0, 1), cas, read(2, 3, 4)]);
    expect(roles(part)).toContainEqual([1, "culprit"]);
    expect(part.order).toEqual([0, 1, 2]);
  });
});
