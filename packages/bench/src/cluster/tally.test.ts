import type { LogEntry } from "@seshat/common";
import { BLANK_PAYLOAD } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { Tally, VerificationError, verificationErrorBehind } from "./tally.js";

function write(index: number, term = 1): LogEntry<null> {
  return { logId: { term, index }, payload: { type: "normal", data: null } };
}

function blank(index: number, term = 1): LogEntry<null> {
  return { logId: { term, index }, payload: BLANK_PAYLOAD };
}

function tallyOf(...entries: readonly LogEntry<null>[]): Tally {
  const tally = new Tally();
  tally.add(entries);
  return tally;
}

describe("a tally", () => {
  test("counts entries, and of these the writes, however they were cut into calls", () => {
    const whole = tallyOf(blank(1), write(2), write(3));
    const parts = new Tally();
    for (const entry of [blank(1), write(2), write(3)]) parts.add([entry]);
    expect(parts).toEqual(whole);
    expect(whole).toMatchObject({ index: 3, writes: 2 });
  });

  test.each([
    ["a gap", [write(1), write(3)]],
    ["an entry twice", [write(1), write(1)]],
    ["a log that begins late", [write(2)]],
  ])("refuses %s", (_, entries) => {
    expect(() => tallyOf(...entries)).toThrow(VerificationError);
  });

  test("tells a write from a blank entry in its place, and one term from another", () => {
    const hashes = [
      tallyOf(write(1), write(2), write(3)),
      tallyOf(write(1), blank(2), write(3)),
      tallyOf(blank(1), write(2), write(3)),
      tallyOf(write(1), write(2, 2), write(3, 2)),
      tallyOf(write(1), write(2), write(3, 2)),
      tallyOf(write(1), write(2), blank(3, 2)),
    ].map(({ orderHash }) => orderHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe("why a benchmark failed", () => {
  test("is found behind the errors of a node that stopped because of it", () => {
    const undone = new VerificationError("entry 3 came where entry 2 was next");
    const stopped = new Error("stopped", { cause: new Error("append failed", { cause: undone }) });
    expect(verificationErrorBehind(undone)).toBe(undone);
    expect(verificationErrorBehind(stopped)).toBe(undone);
    expect(verificationErrorBehind(new Error("something else"))).toBeNull();
    expect(verificationErrorBehind("text")).toBeNull();
  });
});
