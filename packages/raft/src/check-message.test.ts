import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  ReadIndexRequest,
  ReadIndexResponse,
  SessionCommand,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blank, blanks, logId, membershipEntry, nodesFor, setEntry, voters } from "../test/support/values.js";
import {
  checkAppendEntriesRequest,
  checkAppendEntriesResponse,
  checkReadIndexRequest,
  checkReadIndexResponse,
  checkSession,
  checkVoteRequest,
  checkVoteResponse,
} from "./check-message.js";

const SELF = 1;
const VOTE: VoteRequest = { term: 5, candidateId: 2, lastLogId: logId(4, 9) };
const APPEND: AppendEntriesRequest = {
  term: 5,
  leaderId: 2,
  prevLogId: logId(3, 9),
  entries: [blank(3, 10), setEntry(5, 11, "a", "1"), membershipEntry(5, 12, voters(1, 2, 3))],
  leaderCommit: 100,
};

function fieldOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidValueError) return error.field;
    throw error;
  }
  return "accepted";
}

describe("vote requests", () => {
  test("what a correct candidate can send is accepted", () => {
    for (const request of [
      VOTE,
      { ...VOTE, lastLogId: logId(0, 0) },
      { ...VOTE, lastLogId: logId(0, 1) },
      { ...VOTE, lastLogId: logId(5, 1) },
    ]) {
      expect(fieldOf(() => checkVoteRequest("vote", request, SELF))).toBe("accepted");
    }
  });

  test.each<[string, unknown]>([
    ["vote", null],
    ["vote", undefined],
    ["vote", "vote"],
    ["vote.term", { ...VOTE, term: 0 }],
    ["vote.term", { ...VOTE, term: 1.5 }],
    ["vote.term", { ...VOTE, term: 2 ** 53 }],
    ["vote.term", { ...VOTE, term: "5" }],
    ["vote.candidateId", { ...VOTE, candidateId: 0 }],
    ["vote.candidateId", { ...VOTE, candidateId: SELF }],
    ["vote.lastLogId.term", { ...VOTE, lastLogId: null }],
    ["vote.lastLogId.term", { ...VOTE, lastLogId: logId(-1, 9) }],
    ["vote.lastLogId.index", { ...VOTE, lastLogId: logId(4, Number.NaN) }],
    ["vote.lastLogId.term", { ...VOTE, lastLogId: logId(4, 0) }],
    ["vote.lastLogId.term", { ...VOTE, lastLogId: logId(6, 9) }],
  ])("%s is named when it is wrong: %j", (field, request) => {
    expect(fieldOf(() => checkVoteRequest("vote", request as VoteRequest, SELF))).toBe(field);
  });
});

describe("append requests", () => {
  test("what a correct leader can send is accepted", () => {
    const heartbeat = { ...APPEND, entries: [] };
    const founding = { ...APPEND, prevLogId: logId(0, 0), entries: [membershipEntry(0, 1, voters(1, 2))] };
    for (const request of [
      APPEND,
      heartbeat,
      founding,
      { ...heartbeat, prevLogId: logId(5, 1), leaderCommit: 0 },
    ]) {
      expect(fieldOf(() => checkAppendEntriesRequest(request, SELF))).toBe("accepted");
    }
  });

  const membership = voters(1, 2);
  const withEntry = (entry: unknown): unknown => ({ ...APPEND, entries: [entry] });
  const withMembership = (wrong: unknown): unknown =>
    withEntry({ logId: logId(5, 10), payload: { type: "membership", membership: wrong } });

  test.each<[string, unknown]>([
    ["appendEntries", null],
    ["appendEntries.term", { ...APPEND, term: 0 }],
    ["appendEntries.leaderId", { ...APPEND, leaderId: -2 }],
    ["appendEntries.leaderId", { ...APPEND, leaderId: SELF }],
    ["appendEntries.prevLogId.index", { ...APPEND, prevLogId: { term: 3 } }],
    ["appendEntries.prevLogId.term", { ...APPEND, prevLogId: logId(3, 0) }],
    ["appendEntries.leaderCommit", { ...APPEND, leaderCommit: -1 }],
    ["appendEntries.leaderCommit", { ...APPEND, leaderCommit: undefined }],
    ["appendEntries.entries", { ...APPEND, entries: undefined }],
    ["appendEntries.entries", { ...APPEND, entries: "abc" }],
    ["appendEntries.entries.index", withEntry(null)],
    ["appendEntries.entries.index", withEntry({ payload: { type: "blank" } })],
    ["appendEntries.entries.index", { ...APPEND, entries: blanks(3, 11, 12) }],
    ["appendEntries.entries.index", { ...APPEND, entries: blanks(3, 9, 10) }],
    ["appendEntries.entries.index", { ...APPEND, entries: [blank(3, 10), blank(3, 12)] }],
    [
      "appendEntries.entries.index",
      { ...APPEND, prevLogId: logId(3, 2 ** 53 - 1), entries: [blank(3, 2 ** 53)] },
    ],
    ["appendEntries.entries.term", { ...APPEND, entries: [blank(2, 10)] }],
    ["appendEntries.entries.term", { ...APPEND, entries: [blank(4, 10), blank(3, 11)] }],
    ["appendEntries.entries.term", { ...APPEND, entries: [blank(6, 10)] }],
    ["appendEntries.entries.term", { ...APPEND, entries: [], prevLogId: logId(6, 9) }],
    ["appendEntries.entries.payload", withEntry({ logId: logId(3, 10) })],
    ["appendEntries.entries.payload.type", withEntry({ logId: logId(3, 10), payload: {} })],
    ["appendEntries.entries.payload.type", withEntry({ logId: logId(3, 10), payload: { type: "evil" } })],
    ["appendEntries.entries.payload.membership", withMembership(undefined)],
    ["appendEntries.entries.payload.membership.nodes", withMembership({ ...membership, nodes: [] })],
    [
      "appendEntries.entries.payload.membership.nodes",
      withMembership({ configs: [[0]], nodes: new Map([[0, {}]]) }),
    ],
    [
      "appendEntries.entries.payload.membership.configs",
      withMembership({ ...membership, configs: undefined }),
    ],
    ["appendEntries.entries.payload.membership.configs", withMembership({ ...membership, configs: [] })],
    [
      "appendEntries.entries.payload.membership.configs",
      withMembership({ ...membership, configs: [[1], [2], [1]] }),
    ],
    ["appendEntries.entries.payload.membership.configs", withMembership({ ...membership, configs: [[]] })],
    [
      "appendEntries.entries.payload.membership.configs",
      withMembership({ ...membership, configs: [[1, 3]] }),
    ],
    [
      "appendEntries.entries.payload.membership.configs",
      withMembership({ ...membership, configs: [[1, 1]] }),
    ],
    ["appendEntries.entries.payload.membership.configs", withMembership({ ...membership, configs: ["12"] })],
  ])("%s is named when it is wrong (%#)", (field, request) => {
    expect(fieldOf(() => checkAppendEntriesRequest(request as AppendEntriesRequest, SELF))).toBe(field);
  });

  test("a membership with learners and two sets of voters is one", () => {
    const joint = {
      configs: [
        [1, 2],
        [2, 3],
      ],
      nodes: new Map(nodesFor(1, 2, 3, 4)),
    };
    expect(
      fieldOf(() => checkAppendEntriesRequest(withMembership(joint) as AppendEntriesRequest, SELF)),
    ).toBe("accepted");
  });
});

describe("answers", () => {
  test("what a correct peer can answer is accepted", () => {
    const answers: AppendEntriesResponse[] = [
      { type: "success", term: 5, matchIndex: 0 },
      { type: "conflict", term: 5, hint: logId(0, 0) },
      { type: "refused", term: 6 },
    ];
    for (const answer of answers) expect(fieldOf(() => checkAppendEntriesResponse(answer))).toBe("accepted");
    for (const granted of [true, false])
      expect(fieldOf(() => checkVoteResponse({ term: 0, granted }))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["answer", null],
    ["answer.term", {}],
    ["answer.term", { term: -1, granted: true }],
    ["answer.granted", { term: 1 }],
    ["answer.granted", { term: 1, granted: 1 }],
  ])("%s of a vote is named when it is wrong: %j", (field, response) => {
    expect(fieldOf(() => checkVoteResponse(response as VoteResponse))).toBe(field);
  });

  test.each<[string, unknown]>([
    ["answer", undefined],
    ["answer.term", { type: "refused" }],
    ["answer.type", { term: 1 }],
    ["answer.type", { type: "perhaps", term: 1 }],
    ["answer.matchIndex", { type: "success", term: 1 }],
    ["answer.matchIndex", { type: "success", term: 1, matchIndex: 1.5 }],
    ["answer.hint.term", { type: "conflict", term: 1 }],
    ["answer.hint.term", { type: "conflict", term: 1, hint: logId(3, 0) }],
  ])("%s of an append is named when it is wrong: %j", (field, response) => {
    expect(fieldOf(() => checkAppendEntriesResponse(response as AppendEntriesResponse))).toBe(field);
  });
});

describe("read indexes", () => {
  test("what a correct peer can ask and answer is accepted", () => {
    for (const lease of [true, false])
      expect(fieldOf(() => checkReadIndexRequest({ from: 2, lease }, SELF))).toBe("accepted");
    for (const readIndex of [null, logId(0, 0), logId(3, 9)])
      expect(fieldOf(() => checkReadIndexResponse({ readIndex }))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["readIndex", null],
    ["readIndex.from", { lease: true }],
    ["readIndex.from", { from: SELF, lease: true }],
    ["readIndex.lease", { from: 2 }],
    ["readIndex.lease", { from: 2, lease: "yes" }],
  ])("%s is named when it is wrong: %j", (field, request) => {
    expect(fieldOf(() => checkReadIndexRequest(request as ReadIndexRequest, SELF))).toBe(field);
  });

  test.each<[string, unknown]>([
    ["answer", undefined],
    ["answer.readIndex.term", {}],
    ["answer.readIndex.term", { readIndex: 5 }],
    ["answer.readIndex.index", { readIndex: { term: 1, index: -1 } }],
    ["answer.readIndex.term", { readIndex: logId(1, 0) }],
  ])("%s of an answer is named when it is wrong: %j", (field, response) => {
    expect(fieldOf(() => checkReadIndexResponse(response as ReadIndexResponse))).toBe(field);
  });
});

describe("a command of a session", () => {
  const session: SessionCommand = { sessionId: 3, sequence: 1, answeredBelow: 1 };

  test("may be left out, and has three numbers from 1 on", () => {
    expect(fieldOf(() => checkSession("s", undefined))).toBe("accepted");
    expect(fieldOf(() => checkSession("s", session))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["s", null],
    ["s", 7],
    ["s.sessionId", { ...session, sessionId: 0 }],
    ["s.sequence", { ...session, sequence: 1.5 }],
    ["s.answeredBelow", { ...session, answeredBelow: undefined }],
  ])("%s is named when it is wrong: %j", (field, wrong) => {
    expect(fieldOf(() => checkSession("s", wrong as SessionCommand))).toBe(field);
  });
});

describe("hostile messages", () => {
  test("whatever arrives is accepted or refused with a field, and nothing else happens (property)", () => {
    const anything = fc.oneof(
      fc.anything({ withMap: true, withNullPrototype: true, withBigInt: true, withTypedArray: true }),
      fc.record({
        term: fc.anything(),
        leaderId: fc.anything(),
        prevLogId: fc.anything(),
        entries: fc.anything(),
        leaderCommit: fc.anything(),
      }),
      fc.record({
        term: fc.constant(5),
        leaderId: fc.constant(2),
        prevLogId: fc.constant(logId(3, 9)),
        leaderCommit: fc.constant(0),
        entries: fc.array(
          fc.record({
            logId: fc.oneof(fc.constant(logId(3, 10)), fc.anything()),
            payload: fc.record({
              type: fc.constantFrom("normal", "membership", "x"),
              membership: fc.anything(),
            }),
          }),
        ),
      }),
      fc.record({
        type: fc.constantFrom("success", "conflict", "refused", 1),
        term: fc.anything(),
        hint: fc.anything(),
        matchIndex: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(anything, (message) => {
        fieldOf(() => checkVoteRequest("vote", message as VoteRequest, SELF));
        fieldOf(() => checkAppendEntriesRequest(message as AppendEntriesRequest, SELF));
        fieldOf(() => checkVoteResponse(message as VoteResponse));
        fieldOf(() => checkAppendEntriesResponse(message as AppendEntriesResponse));
        fieldOf(() => checkReadIndexRequest(message as ReadIndexRequest, SELF));
        fieldOf(() => checkReadIndexResponse(message as ReadIndexResponse));
        fieldOf(() => checkSession("session", message as SessionCommand));
      }),
      { numRuns: 500 },
    );
  });
});
