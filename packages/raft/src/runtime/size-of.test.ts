import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { lenientSizeOf, strictSizeOf, visibleSizeOf } from "./size-of.js";

const WRONG: unknown[] = [Number.NaN, -1, Number.POSITIVE_INFINITY, "5", undefined, 5n];

describe("the size of a command", () => {
  test.each<[unknown, number]>([
    [new Uint8Array(7), 7],
    [{ data: new Uint8Array(9) }, 9],
    ["four", 4],
    [{ data: "not bytes" }, 64],
    [{}, 64],
    [null, 64],
    [undefined, 64],
    [12, 64],
  ])("%j can be seen, or is guessed: %d", (command, bytes) => {
    expect(visibleSizeOf(command)).toBe(bytes);
  });

  test("from a client: what the application says is taken when it is a size, and refused by name when not", () => {
    for (const bytes of [0, 5, 0.5]) expect(strictSizeOf(() => bytes)("x")).toBe(bytes);
    for (const wrong of WRONG) {
      const measure = strictSizeOf(() => wrong as number);
      expect(() => measure("x")).toThrow(InvalidValueError);
      expect(() => measure("x")).toThrow(/^sizeOf\(data\) is /);
    }
  });

  test("from the log: what is no size is guessed, because the entry has to be sent", () => {
    for (const bytes of [0, 5, 0.5]) expect(lenientSizeOf(() => bytes)("x")).toBe(bytes);
    for (const wrong of WRONG) expect(lenientSizeOf(() => wrong as number)("x")).toBe(64);
    const broken = (): number => {
      throw new TypeError("bug");
    };
    expect(lenientSizeOf(broken)("x")).toBe(64);
  });
});
