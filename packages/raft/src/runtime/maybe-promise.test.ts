import { describe, expect, test } from "vitest";
import { andThen, isPending } from "./maybe-promise.js";

describe("results now or later", () => {
  test("a value that is there goes on in the same turn", () => {
    expect(andThen(20, (value) => value + 1)).toBe(21);
    expect(isPending(andThen(20, (value) => value + 1))).toBe(false);
  });

  test("a value to come goes on when it has come", async () => {
    const result = andThen(Promise.resolve(20), (value) => Promise.resolve(value + 1));
    expect(isPending(result)).toBe(true);
    expect(await result).toBe(21);
  });

  test("an error passes by what would follow", async () => {
    await expect(
      andThen(Promise.reject<number>(new Error("no")), () => expect.unreachable()),
    ).rejects.toThrow("no");
  });
});
