import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalHash, canonicalText, firstDifference } from "./canonical.js";

describe("what is equal has the same text and the same hash", () => {
  test("whatever order its keys are in, and whether what is undefined is left out", () => {
    const one = { a: 1, b: [{ c: "x", d: null }], e: undefined };
    const other = { b: [{ d: null, c: "x" }], a: 1 };
    expect(canonicalText(one)).toBe(canonicalText(other));
    expect(canonicalHash(one)).toBe(canonicalHash(other));
  });

  test("maps, sets and bytes count by what is in them", () => {
    const make = (keys: readonly string[]): unknown => [
      new Map(keys.map((key) => [key, 1])),
      new Set(keys),
      Uint8Array.of(1, 2),
      5n,
    ];
    expect(canonicalText(make(["a", "b"]))).toBe(canonicalText(make(["b", "a"])));
    expect(canonicalHash(make(["a", "b"]))).toBe(canonicalHash(make(["b", "a"])));
  });

  test("a copy is equal, and what differs has another text (property)", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const copy: unknown = structuredClone(one);
        expect(canonicalText(copy)).toBe(canonicalText(one));
        expect(canonicalHash(copy)).toBe(canonicalHash(one));
        const isEqual = canonicalText(one) === canonicalText(other);
        if (isEqual) expect(canonicalHash(other)).toBe(canonicalHash(one));
        expect(firstDifference(one, other) === null).toBe(isEqual);
      }),
    );
  });

  test.each([
    [1, "1"],
    [null, undefined],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: null }],
    [
      [[1], 2],
      [1, [2]],
    ],
    [1.5, 1.25],
    [1, 2 ** 32 + 1],
    [{ a: "b" }, { b: "a" }],
    [Uint8Array.of(1), Uint8Array.of(1, 0)],
    [true, false],
    [{ "a:1,b": 2 }, { a: 1, b: 2 }],
    [new Map([[1, 2]]), new Map([["1", 2]])],
  ])("%j and %j differ", (one, other) => {
    expect(canonicalText(one)).not.toBe(canonicalText(other));
    expect(canonicalHash(one)).not.toBe(canonicalHash(other));
  });
});

describe("the first difference", () => {
  test("is named by its path", () => {
    const one = { entries: [{ logId: { term: 1, index: 2 } }] };
    const other = { entries: [{ logId: { term: 1, index: 3 } }] };
    expect(firstDifference(one, other)).toEqual({ path: "entries[0].logId.index", one: "2", other: "3" });
  });

  test("may be that something is missing", () => {
    expect(firstDifference({ a: { b: 1 } }, { a: {} })).toEqual({
      path: "a.b",
      one: "1",
      other: "undefined",
    });
  });
});
