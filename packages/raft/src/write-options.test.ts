import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { ReadPolicy } from "./engine/event.js";
import type { SessionWriteOptions, WriteOptions } from "./write-options.js";
import { checkNoSession, checkReadPolicy, checkWriteOptions, expectationOf } from "./write-options.js";

function fieldOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidValueError) return error.field;
    throw error;
  }
  return "accepted";
}

const SESSION = { sessionId: 3, sequence: 1, answeredBelow: 1 };

describe("the options of a write", () => {
  test("may all be left out, and may all be given", () => {
    expect(fieldOf(() => checkWriteOptions({}))).toBe("accepted");
    const all: SessionWriteOptions = {
      signal: new AbortController().signal,
      timeoutMs: 0.5,
      leaderTerm: 1,
      membershipLogId: { term: 0, index: 1 },
      session: SESSION,
    };
    expect(fieldOf(() => checkWriteOptions(all))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["options", null],
    ["options", 5],
    ["options.signal", { signal: null }],
    ["options.signal", { signal: "abort" }],
    ["options.signal", { signal: {} }],
    ["options.signal", { signal: { aborted: false } }],
    ["options.timeoutMs", { timeoutMs: 0 }],
    ["options.timeoutMs", { timeoutMs: Number.POSITIVE_INFINITY }],
    ["options.leaderTerm", { leaderTerm: 0 }],
    ["options.leaderTerm", { leaderTerm: "1" }],
    ["options.membershipLogId.term", { membershipLogId: null }],
    ["options.membershipLogId.term", { membershipLogId: { index: 1 } }],
    ["options.membershipLogId.index", { membershipLogId: { term: 0, index: -1 } }],
    ["options.session", { session: null }],
    ["options.session.sequence", { session: { ...SESSION, sequence: 0 } }],
  ])("%s is named when it is wrong: %j", (field, options) => {
    expect(fieldOf(() => checkWriteOptions(options as SessionWriteOptions))).toBe(field);
  });

  test("a session numbers single commands: where it would not count it is refused, not ignored", () => {
    expect(fieldOf(() => checkNoSession({}))).toBe("accepted");
    expect(fieldOf(() => checkNoSession({ session: SESSION }))).toBe("options.session");
  });

  test("expect nothing of the leader unless they say so", () => {
    const membershipLogId = { term: 0, index: 1 };
    expect(expectationOf({})).toBeNull();
    expect(expectationOf({ timeoutMs: 5 } as WriteOptions)).toBeNull();
    expect(expectationOf({ leaderTerm: 2 })).toEqual({ leaderTerm: 2 });
    expect(expectationOf({ membershipLogId })).toEqual({ membershipLogId });
    expect(expectationOf({ leaderTerm: 2, membershipLogId })).toEqual({ leaderTerm: 2, membershipLogId });
  });
});

describe("the policy of a read", () => {
  test("is readIndex, or lease where leases are on", () => {
    const field = (policy: unknown, leases: boolean): string =>
      fieldOf(() => checkReadPolicy(policy as ReadPolicy, leases));
    expect(field("readIndex", false)).toBe("accepted");
    expect(field("readIndex", true)).toBe("accepted");
    expect(field("lease", true)).toBe("accepted");
    expect(field("lease", false)).toBe("options.policy");
    for (const policy of ["stale", null, 1]) expect(field(policy, true)).toBe("options.policy");
  });
});
