import { describe, expect, test } from "vitest";
import * as common from "./index.js";
import {
  AlreadyInitializedError,
  CodecError,
  InvalidValueError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  SeshatError,
  SessionError,
  ShutdownError,
  StoppedError,
  StorageError,
  TimeoutError,
  UnknownOutcomeError,
  UnreachableError,
} from "./index.js";
import type { SessionProblem } from "./index.js";

const cause = new Error("disk full");

/** One of each: class name, error, its stable code, and what its message must tell. */
const ERRORS: [string, SeshatError, string, string][] = [
  ["AlreadyInitializedError", new AlreadyInitializedError("a vote"), "alreadyInitialized", "it has a vote"],
  [
    "CodecError",
    new CodecError("operation", 12, "unknown version 9"),
    "codec",
    "operation at byte 12: unknown version 9",
  ],
  [
    "InvalidValueError",
    new InvalidValueError("config.x", 0, "positive"),
    "invalidValue",
    "config.x is 0, but it must be positive",
  ],
  [
    "NotAMemberError",
    new NotAMemberError(4),
    "notAMember",
    "node 4 is not a voter of the membership given to initialize: add it",
  ],
  ["NotLeaderError", new NotLeaderError(2, { addr: "b:1" }), "notLeader", "ask node 2 at b:1"],
  [
    "OverloadedError",
    new OverloadedError("proposals", 64),
    "overloaded",
    "too many proposals are waiting (the limit is 64): try again later",
  ],
  [
    "PreconditionFailedError",
    new PreconditionFailedError("the leader's term is 4"),
    "preconditionFailed",
    "the precondition of the write does not hold: the leader's term is 4",
  ],
  [
    "QuorumNotEnoughError",
    new QuorumNotEnoughError(),
    "quorumNotEnough",
    "lost touch with the majority, and no leader is known: try again, here or on another node",
  ],
  [
    "SessionError",
    new SessionError(7, "unsupported"),
    "session",
    "session 7: the state machine keeps no sessions",
  ],
  ["ShutdownError", new ShutdownError(), "shutdown", "make a new one over the same storage"],
  ["StoppedError", new StoppedError(cause), "stopped", "once the cause is mended: disk full"],
  [
    "StorageError",
    new StorageError("append", "no space", { cause }),
    "storage",
    "storage failed to append: no space",
  ],
  [
    "TimeoutError",
    new TimeoutError("an election", 300),
    "timeout",
    "an election did not happen within 300 ms",
  ],
  [
    "UnknownOutcomeError",
    new UnknownOutcomeError("the leader changed", { cause }),
    "unknownOutcome",
    "the leader changed; it may be applied later or never",
  ],
  [
    "UnreachableError",
    new UnreachableError(3, "connection refused", { cause }),
    "unreachable",
    "node 3 is unreachable: connection refused",
  ],
];

describe("every error", () => {
  test("that the package exports is in this table", () => {
    const exported = Object.keys(common).filter((name) => name.endsWith("Error") && name !== "SeshatError");
    expect(ERRORS.map(([name]) => name)).toEqual(exported.sort());
  });

  test.each(ERRORS)(
    "%s has its stable code, its own name, and a message that says what to do",
    (name, error, code, tells) => {
      expect(error).toBeInstanceOf(SeshatError);
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe(code);
      expect(error.name).toBe(name);
      expect(error.message).toContain(tells);
    },
  );

  test("has a code that no other has", () => {
    expect(new Set(ERRORS.map(([, error]) => error.code)).size).toBe(ERRORS.length);
  });

  test("keeps its cause where it has one", () => {
    const caused = ERRORS.filter(([, error]) => error.cause !== undefined);
    expect(caused.map(([name]) => name)).toEqual([
      "StoppedError",
      "StorageError",
      "UnknownOutcomeError",
      "UnreachableError",
    ]);
    for (const [, error] of caused) expect(error.cause).toBe(cause);
  });
});

describe("errors carry their facts as fields", () => {
  test("the refused field, the format and offset, the verb, the node", () => {
    expect(new InvalidValueError("config.x", 0, "positive").field).toBe("config.x");
    expect(new CodecError("operation", 12, "bad")).toMatchObject({ format: "operation", offset: 12 });
    expect(new StorageError("purge", "bad").verb).toBe("purge");
    expect(new NotAMemberError(4).nodeId).toBe(4);
    expect(new UnreachableError(3, "gone").target).toBe(3);
  });

  test("NotLeaderError names the leader and its node as far as they are known", () => {
    const known = new NotLeaderError(2, { addr: "b:1" });
    expect(known).toMatchObject({ leaderId: 2, leaderNode: { addr: "b:1" } });
    expect(new NotLeaderError(2, null).message).toBe("this node is not the leader: ask node 2");
    const unknown = new NotLeaderError(null, null);
    expect(unknown).toMatchObject({ leaderId: null, leaderNode: null });
    expect(unknown.message).toContain("try again after an election");
  });
});

describe("SessionError", () => {
  test.each<[SessionProblem, string]>([
    ["expired", "whether an earlier attempt took effect is unknown; open a new session"],
    ["alreadyAnswered", "the client already had the answer to this command"],
    ["tooManyUnanswered", "too many commands without an answer: wait for some of them"],
    ["malformed", "its numbers must be integers from 1 to 2^53 - 1"],
    ["unsupported", "keeps no sessions: give it a codec for its responses"],
  ])("tells the session, the problem %s and what to do", (problem, tells) => {
    const error = new SessionError(7, problem);
    expect(error).toMatchObject({ code: "session", sessionId: 7, problem });
    expect(error.message).toMatch(/^session 7: /);
    expect(error.message).toContain(tells);
  });
});

describe("InvalidValueError shows any value without failing or growing", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;

  test.each<[string, unknown, string]>([
    ["text in quotes", 'say "hi"', String.raw`"say \"hi\""`],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a list", [1, 2], "[1,2]"],
    ["a bigint with its mark", 7n, "7n"],
    ["a bigint inside a list", [7n], '["7n"]'],
    ["bytes by their number", new Uint8Array(1_000_000), "1000000 bytes"],
    ["a function by its kind", () => "secret", "a function"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object that refers to itself", circular, "an object that cannot be shown"],
    ["an object that becomes nothing in JSON", { toJSON: () => undefined }, "undefined"],
  ])("%s", (_, value, shown) => {
    expect(new InvalidValueError("x", value, "y").message).toBe(`x is ${shown}, but it must be y`);
  });

  test.each<[string, unknown]>([
    ["text", "a".repeat(1_000_000)],
    ["a list", Array.from({ length: 10_000 }, (_, at) => at)],
    ["a bigint", 10n ** 5000n],
  ])("%s that is very long is cut", (_, value) => {
    const { message } = new InvalidValueError("x", value, "y");
    expect(message.length).toBeLessThan(250);
    expect(message).toMatch(/\.\.\., but it must be y$/);
  });
});
