import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.js";
import type { Operation } from "./operation.js";

const good = { client: 1, input: "read", call: 1, ret: 2, status: "ok", output: null };

function refusal(history: unknown): string | undefined {
  try {
    checkHistory(history as Operation<unknown, unknown>[]);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidValueError) return error.field;
    throw error;
  }
}

describe("a history", () => {
  test.each<[string, unknown]>([
    ["history", "no array"],
    ["history[0]", [null]],
    ["history[1]", [good, 7]],
    ["history[0].client", [{ ...good, client: undefined }]],
    ["history[0].client", [{ ...good, client: NaN }]],
    ["history[0].status", [{ ...good, status: "info" }]],
    ["history[0].call", [{ ...good, call: Infinity }]],
    ["history[0].call", [{ ...good, call: "1" }]],
    ["history[0].ret", [{ ...good, ret: 0 }]],
    ["history[0].ret", [{ ...good, ret: null }]],
    ["history[0].ret", [{ ...good, status: "unknown", ret: NaN }]],
    ["history[0].ret", [{ ...good, status: "fail", ret: 0 }]],
    ["history[0].output", [{ client: 1, input: "read", call: 1, ret: 2, status: "ok" }]],
    ["history[0].input", [{ client: 1, call: 1, status: "unknown" }]],
  ])("with a wrong %s is refused by that name", (field, history) => {
    expect(refusal(history)).toBe(field);
  });

  test("an outcome that is not known, or a failure, needs no time of return", () => {
    expect(refusal([{ ...good, status: "unknown", ret: null }])).toBeUndefined();
    expect(refusal([{ client: "c", input: 1, call: 1, status: "fail" }])).toBeUndefined();
  });

  test("a client that calls before it has its answer is refused, in whatever order the operations come", () => {
    const overlapping = { ...good, call: 5, ret: 7 };
    expect(refusal([good, { ...good, call: 2, ret: 6 }])).toBeUndefined();
    expect(refusal([overlapping, good, { ...good, call: 2, ret: 6 }])).toBe("history[0].call");
    expect(refusal([overlapping, { ...good, client: 2, call: 2, ret: 6 }])).toBeUndefined();
    expect(refusal([{ ...good, ret: 9, status: "fail" }, overlapping])).toBe("history[1].call");
  });

  test("a client with an unknown outcome may go on before it gave up", () => {
    expect(
      refusal([
        { ...good, status: "unknown", ret: 9 },
        { ...good, call: 3, ret: 4 },
      ]),
    ).toBeUndefined();
  });
});
