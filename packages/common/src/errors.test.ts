import { describe, expect, test } from "vitest";
import * as common from "./index.js";
import {
  AlreadyInitializedError,
  ChangeInProgressError,
  CodecError,
  ForeignNodeError,
  ForeignStoreError,
  InvalidChangeError,
  InvalidValueError,
  LearnerLaggingError,
  LearnerNotFoundError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  RemoteError,
  SeshatError,
  SessionError,
  ShutdownError,
  SnapshotOutdatedError,
  StoppedError,
  StorageError,
  StorageStalledError,
  TimeoutError,
  TransferFailedError,
  TransferInProgressError,
  UnknownOutcomeError,
  UnreachableError,
} from "./index.js";
import type { SessionProblem } from "./index.js";

const cause = new Error("disk full");

/** One of each: class name, error, its stable code, what its message must tell, and its fields: all of them. */
const ERRORS: [string, SeshatError, string, string, object][] = [
  [
    "AlreadyInitializedError",
    new AlreadyInitializedError("a vote"),
    "alreadyInitialized",
    "it has a vote",
    { found: "a vote" },
  ],
  [
    "ChangeInProgressError",
    new ChangeInProgressError({ term: 3, index: 9 }),
    "changeInProgress",
    "another membership change is not finished (entry 3-9): try again later",
    { membershipLogId: { term: 3, index: 9 } },
  ],
  [
    "CodecError",
    new CodecError("operation", 12, "unknown version 9"),
    "codec",
    "operation at byte 12: unknown version 9",
    { format: "operation", offset: 12, problem: "unknown version 9" },
  ],
  [
    "ForeignNodeError",
    new ForeignNodeError("it is for node 4"),
    "foreignNode",
    "the message was refused: it is for node 4",
    { problem: "it is for node 4" },
  ],
  [
    "ForeignStoreError",
    new ForeignStoreError("clusterId", "blue", "red"),
    "foreignStore",
    'this store belongs to clusterId "blue", and not to "red": start it with its own settings, or give the node an empty store',
    { field: "clusterId", found: "blue", expected: "red" },
  ],
  [
    "InvalidChangeError",
    new InvalidChangeError("no voter would be left"),
    "invalidChange",
    "cannot be changed so: no voter would be left",
    { problem: "no voter would be left" },
  ],
  [
    "InvalidValueError",
    new InvalidValueError("config.x", 0, "positive"),
    "invalidValue",
    "config.x is 0, but it must be positive",
    { field: "config.x", found: "0", expected: "positive" },
  ],
  [
    "LearnerLaggingError",
    new LearnerLaggingError(4, 10, 20),
    "learnerLagging",
    "node 4 cannot be counted on as a voter: it has the log up to 10 of 20, or did not answer lately; wait until it has caught up",
    { nodeId: 4, matchIndex: 10, lastIndex: 20 },
  ],
  [
    "LearnerNotFoundError",
    new LearnerNotFoundError(4),
    "learnerNotFound",
    "node 4 is not a member: add it as a learner first",
    { nodeId: 4 },
  ],
  [
    "NotAMemberError",
    new NotAMemberError(4),
    "notAMember",
    "node 4 is not a voter of the membership given to initialize: add it",
    { nodeId: 4 },
  ],
  [
    "NotLeaderError",
    new NotLeaderError(2, { addr: "b:1" }),
    "notLeader",
    "ask node 2 at b:1",
    { leaderId: 2, leaderNode: { addr: "b:1" } },
  ],
  [
    "OverloadedError",
    new OverloadedError("proposals", 64),
    "overloaded",
    "too many proposals are waiting (the limit is 64): try again later",
    { what: "proposals", limit: 64 },
  ],
  [
    "PreconditionFailedError",
    new PreconditionFailedError("the leader's term is 4"),
    "preconditionFailed",
    "the precondition does not hold: the leader's term is 4",
    { found: "the leader's term is 4" },
  ],
  [
    "QuorumNotEnoughError",
    new QuorumNotEnoughError(),
    "quorumNotEnough",
    "lost touch with the majority, and no leader is known: try again, here or on another node",
    {},
  ],
  [
    "RemoteError",
    new RemoteError("outOfCheese", "redo from start", { cause }),
    "remote",
    "redo from start",
    { remoteCode: "outOfCheese" },
  ],
  [
    "SessionError",
    new SessionError(7, "unsupported"),
    "session",
    "session 7: the state machine keeps no sessions",
    { sessionId: 7, problem: "unsupported" },
  ],
  ["ShutdownError", new ShutdownError(), "shutdown", "make a new one over the same storage", {}],
  [
    "SnapshotOutdatedError",
    new SnapshotOutdatedError({ term: 2, index: 5 }, { term: 3, index: 9 }),
    "snapshotOutdated",
    "the snapshot ends at 2-5, but 3-9 is committed here already",
    { snapshot: { term: 2, index: 5 }, committed: { term: 3, index: 9 } },
  ],
  [
    "StoppedError",
    new StoppedError(cause),
    "stopped",
    "once the cause is mended: disk full",
    { why: "disk full" },
  ],
  [
    "StorageError",
    new StorageError("append", "no space", { cause }),
    "storage",
    "storage failed to append: no space",
    { verb: "append", problem: "no space" },
  ],
  [
    "StorageStalledError",
    new StorageStalledError("append"),
    "storageStalled",
    "it has been trying to append for too long; ask another node",
    { verb: "append" },
  ],
  [
    "TimeoutError",
    new TimeoutError("an election", 300),
    "timeout",
    "an election did not happen within 300 ms",
    { waitingFor: "an election", timeoutMs: 300 },
  ],
  [
    "TransferFailedError",
    new TransferFailedError(3, "otherLeader"),
    "transferFailed",
    "node 3 did not become the leader: another node was elected",
    { target: 3, reason: "otherLeader" },
  ],
  [
    "TransferInProgressError",
    new TransferInProgressError(3),
    "transferInProgress",
    "handing the leadership over to node 3: try again in a moment",
    { target: 3 },
  ],
  [
    "UnknownOutcomeError",
    new UnknownOutcomeError("the leader changed", { cause }),
    "unknownOutcome",
    "the leader changed; it may be applied later or never",
    { why: "the leader changed" },
  ],
  [
    "UnreachableError",
    new UnreachableError(3, "connection refused", { cause }),
    "unreachable",
    "node 3 is unreachable: connection refused",
    { target: 3, why: "connection refused" },
  ],
];

describe("every error", () => {
  test("that the package exports is in this table", () => {
    const exported = Object.entries(common)
      .filter(([, value]) => typeof value === "function" && value.prototype instanceof SeshatError)
      .map(([name]) => name);
    expect(ERRORS.map(([name]) => name)).toEqual(exported.sort());
    expect(exported.filter((name) => !name.endsWith("Error"))).toEqual([]);
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

  test.each(ERRORS)(
    "%s carries its facts as fields, not only in its message",
    (name, error, code, _tells, fields) => {
      expect(Object.fromEntries(Object.entries(error))).toEqual({ name, code, ...fields });
    },
  );

  test("has a code that no other has", () => {
    expect(new Set(ERRORS.map(([, error]) => error.code)).size).toBe(ERRORS.length);
  });

  test("keeps its cause where it has one", () => {
    const caused = ERRORS.filter(([, error]) => error.cause !== undefined);
    expect(caused.map(([name]) => name)).toEqual([
      "RemoteError",
      "StoppedError",
      "StorageError",
      "UnknownOutcomeError",
      "UnreachableError",
    ]);
    for (const [, error] of caused) expect(error.cause).toBe(cause);
  });
});

describe("what messages say of what is not known", () => {
  test("NotLeaderError names the leader and its node as far as they are known", () => {
    expect(new NotLeaderError(2, null).message).toBe("this node is not the leader: ask node 2");
    const unknown = new NotLeaderError(null, null);
    expect(unknown).toMatchObject({ leaderId: null, leaderNode: null });
    expect(unknown.message).toContain("try again after an election");
  });

  test("ChangeInProgressError names no entry while there is none", () => {
    const waiting = new ChangeInProgressError(null);
    expect(waiting.membershipLogId).toBeNull();
    expect(waiting.message).toBe("another membership change is not finished: try again later");
  });

  test.each<[TransferFailedError["reason"], string]>([
    ["timeout", "it did not take over in time"],
    ["otherLeader", "another node was elected"],
    ["notAVoter", "it does not vote"],
  ])("TransferFailedError says what %s means", (reason, tells) => {
    expect(new TransferFailedError(3, reason).message).toBe(`node 3 did not become the leader: ${tells}`);
  });

  test("StoppedError says the same of a cause of which only the text is known", () => {
    const known = new StoppedError("disk full");
    expect(known.message).toBe(new StoppedError(cause).message);
    expect(known).toMatchObject({ why: "disk full", cause: "disk full" });
  });

  test("a ForeignStoreError does not grow with the ids that it shows", () => {
    const { message } = new ForeignStoreError("clusterId", "a".repeat(1_000_000), "b".repeat(1_000_000));
    expect(message.length).toBeLessThan(600);
  });

  test("a RemoteError keeps the beginning of what is very long", () => {
    const error = new RemoteError("c".repeat(1_000_000), "m".repeat(1_000_000));
    expect(error.remoteCode).toBe(`${"c".repeat(61)}...`);
    expect(error.message).toBe(`${"m".repeat(4093)}...`);
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
