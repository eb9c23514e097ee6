import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodesFor } from "../../test/arbitraries.js";
import { InvalidValueError } from "../errors.js";
import type { LogEntry } from "../log-entry.js";
import { BLANK_PAYLOAD } from "../log-entry.js";
import type { Membership } from "../membership.js";
import { EMPTY_MEMBERSHIP, createMembership } from "../membership.js";
import type { Request } from "../request.js";
import { entryToLogEntry, logEntryToEntry } from "./entry.js";
import type { Entry } from "./messages.js";
import { EntryType } from "./messages.js";

const none = new Uint8Array(0);
const membership = createMembership(
  [
    [1, 2],
    [1, 2, 3],
  ],
  nodesFor([1, 2, 3, 4]),
);

function entry(fields: Partial<Entry> = {}): Entry {
  return { entryType: EntryType.EntryNormal, term: 2, index: 7, data: none, context: none, ...fields };
}

const anyPosition = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

const anyLogEntry: fc.Arbitrary<LogEntry<Request>> = fc.record({
  logId: fc.record({ term: anyPosition, index: anyPosition }),
  payload: fc.oneof(
    fc.constant(BLANK_PAYLOAD),
    fc.uint8Array({ minLength: 1 }).map((data) => ({ type: "normal" as const, data: { data } })),
  ),
});

describe("eraftpb::Entry -> LogEntry<Request>", () => {
  test("is created with log_id and data", () => {
    const data = Uint8Array.of(1, 2, 3);
    expect(entryToLogEntry(entry({ data }))).toEqual({
      logId: { term: 2, index: 7 },
      payload: { type: "normal", data: { data } },
    });
  });

  test("term and index may be bigints, as some decoders give them", () => {
    expect(entryToLogEntry(entry({ term: 2n, index: 7n })).logId).toEqual({ term: 2, index: 7 });
  });

  test("a normal entry without data, the first of a raft-rs leader, is blank", () => {
    expect(entryToLogEntry(entry()).payload).toEqual({ type: "blank" });
  });

  test("the deprecated sync_log changes nothing", () => {
    expect(entryToLogEntry(entry({ syncLog: true }))).toEqual(entryToLogEntry(entry()));
  });

  test.each([EntryType.EntryConfChange, EntryType.EntryConfChangeV2])(
    "a change of configuration (type %d) becomes the membership it led to, asked for by index",
    (entryType) => {
      const asked: number[] = [];
      const change = entry({ entryType, data: Uint8Array.of(8, 1), context: Uint8Array.of(9) });
      const converted = entryToLogEntry(change, (index) => {
        asked.push(index);
        return membership;
      });
      expect(converted).toEqual({
        logId: { term: 2, index: 7 },
        payload: { type: "membership", membership },
      });
      expect(asked).toEqual([7]);
    },
  );

  test("a change without data, which in raft-rs leaves the joint configuration, is no blank entry", () => {
    const leave = entry({ entryType: EntryType.EntryConfChangeV2 });
    expect(entryToLogEntry(leave, () => membership).payload.type).toBe("membership");
  });

  test.each<[string, ((index: number) => Membership | undefined) | undefined]>([
    ["nobody gives", undefined],
    ["is not known", () => undefined],
    ["has no voters", () => EMPTY_MEMBERSHIP],
  ])("a change of configuration is refused when the membership it led to %s", (_, membershipAt) => {
    const change = entry({ entryType: EntryType.EntryConfChange });
    expect(() => entryToLogEntry(change, membershipAt)).toThrow(InvalidValueError);
    expect(() => entryToLogEntry(change, membershipAt)).toThrow(/^membershipAt\(7\) is .*led to/);
  });

  test("a normal entry never asks for a membership", () => {
    const fail = (): never => expect.unreachable();
    expect(entryToLogEntry(entry(), fail).payload.type).toBe("blank");
  });

  test.each<[string, object, string]>([
    ["an index of 0", { index: 0 }, "entry.index is 0"],
    ["a term of 0", { term: 0n }, "entry.term is 0, but"],
    ["an index past 2^53 - 1", { index: 2n ** 53n }, "entry.index is 9007199254740992n"],
    ["an unknown type", { entryType: 3 }, "entry.entryType is 3, but it must be 0 (EntryNormal)"],
    [
      "a context that a request cannot carry",
      { context: Uint8Array.of(1) },
      "entry.context is 1 bytes, but it must be empty",
    ],
    ["data that are no bytes", { data: "SET" }, 'entry.data is "SET", but it must be a Uint8Array'],
    ["a missing context", { context: undefined }, "entry.context is undefined, but it must be a Uint8Array"],
  ])("refuses %s", (_, fields, message) => {
    expect(() => entryToLogEntry(entry(fields))).toThrow(InvalidValueError);
    expect(() => entryToLogEntry(entry(fields))).toThrow(message);
  });
});

describe("LogEntry<Request> -> eraftpb::Entry", () => {
  test("there and back gives the same entry, for everything but memberships and sessions", () => {
    fc.assert(
      fc.property(anyLogEntry, (logEntry) => {
        expect(entryToLogEntry(logEntryToEntry(logEntry))).toEqual(logEntry);
      }),
    );
  });

  test("back and there gives the same eraftpb entry", () => {
    fc.assert(
      fc.property(anyPosition, anyPosition, fc.uint8Array(), (term, index, data) => {
        const original = entry({ term, index, data });
        expect(logEntryToEntry(entryToLogEntry(original))).toEqual(original);
      }),
    );
  });

  test.each<[string, LogEntry<Request>, string]>([
    [
      "a membership, of which raft-rs keeps only the change",
      { logId: { term: 1, index: 1 }, payload: { type: "membership", membership } },
      'logEntry.payload.type is "membership"',
    ],
    [
      "a command without bytes, which raft-rs would take for a blank entry",
      { logId: { term: 1, index: 1 }, payload: { type: "normal", data: { data: none } } },
      "logEntry.payload.data.data is 0 bytes, but it must be at least one byte",
    ],
    [
      "a session, which raft-rs does not have",
      { logId: { term: 1, index: 1 }, payload: { type: "openSession", expiresAfter: 9 } },
      'logEntry.payload.type is "openSession", but it must be "blank" or "normal"',
    ],
    [
      "a command of a session, which raft-rs would apply as often as it is sent",
      {
        logId: { term: 1, index: 2 },
        payload: {
          type: "normal",
          data: { data: Uint8Array.of(1) },
          session: { sessionId: 1, sequence: 1, answeredBelow: 1 },
        },
      },
      'logEntry.payload.session is {"sessionId":1,"sequence":1,"answeredBelow":1}, but it must be left out',
    ],
    ["term 0", { logId: { term: 0, index: 1 }, payload: BLANK_PAYLOAD }, "logEntry.logId.term is 0"],
    ["index 0", { logId: { term: 1, index: 0 }, payload: BLANK_PAYLOAD }, "logEntry.logId.index is 0"],
  ])("refuses %s", (_, logEntry, message) => {
    expect(() => logEntryToEntry(logEntry)).toThrow(InvalidValueError);
    expect(() => logEntryToEntry(logEntry)).toThrow(message);
  });
});
