import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  ReadIndexRequest,
  ReadIndexResponse,
  SessionCommand,
  TimeoutNowRequest,
  TimeoutNowResponse,
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
  checkInstallSnapshotRequest,
  checkInstallSnapshotResponse,
  checkReadIndexRequest,
  checkReadIndexResponse,
  checkSession,
  checkSnapshotMeta,
  checkTimeoutNowRequest,
  checkTimeoutNowResponse,
  checkVoteRequest,
  checkVoteResponse,
} from "./check-message.js";

const SELF = 1;
const VOTE: VoteRequest = { term: 5, candidateId: 2, lastLogId: logId(4, 9), transfer: false };
const APPEND: AppendEntriesRequest = {
  term: 5,
  leaderId: 2,
  prevLogId: logId(3, 9),
  entries: [blank(3, 10), setEntry(5, 11, "a", "1"), membershipEntry(5, 12, voters(1, 2, 3))],
  leaderCommit: 100,
};
const SNAPSHOT: InstallSnapshotRequest = {
  term: 5,
  leaderId: 2,
  meta: {
    lastLogId: logId(4, 9),
    lastMembership: { logId: logId(2, 3), membership: voters(1, 2, 3) },
    snapshotId: "4-9",
  },
  size: 10,
  offset: 4,
  data: new Uint8Array(6),
};
const TIMEOUT_NOW: TimeoutNowRequest = { term: 5, leaderId: 2, lastLogId: logId(4, 9) };

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
      { ...VOTE, transfer: true },
      // Founders vote in term 0 for the one that founds.
      { ...VOTE, term: 0, lastLogId: logId(0, 0) },
    ]) {
      expect(fieldOf(() => checkVoteRequest("vote", request, SELF))).toBe("accepted");
    }
  });

  test.each<[string, unknown]>([
    ["vote", null],
    ["vote", undefined],
    ["vote", "vote"],
    ["vote.term", { ...VOTE, term: 0 }],
    ["vote.term", { ...VOTE, term: 0, lastLogId: logId(0, 1) }],
    ["vote.term", { ...VOTE, term: -1, lastLogId: logId(0, 0) }],
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

  test("a vote says whether it is for a transfer, a pre-vote does not", () => {
    const { transfer: _, ...preVote } = VOTE;
    expect(fieldOf(() => checkVoteRequest("preVote", preVote, SELF))).toBe("accepted");
    for (const request of [preVote, { ...VOTE, transfer: "yes" }]) {
      expect(fieldOf(() => checkVoteRequest("vote", request as VoteRequest, SELF))).toBe("vote.transfer");
    }
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
    [
      "appendEntries.entries.payload.membership.leaving",
      withMembership({ ...membership, leaving: undefined }),
    ],
    ["appendEntries.entries.payload.membership.leaving", withMembership({ ...membership, leaving: [1] })],
    [
      "appendEntries.entries.payload.membership.leaving",
      withMembership({ ...membership, configs: [[1], [2]], leaving: [2] }),
    ],
    [
      "appendEntries.entries.payload.membership.leaving",
      withMembership({ ...membership, configs: [[1, 2], [1]], leaving: [1] }),
    ],
    [
      "appendEntries.entries.payload.membership.incarnations",
      withMembership({ ...membership, incarnations: undefined }),
    ],
    [
      "appendEntries.entries.payload.membership.incarnations",
      withMembership({ ...membership, incarnations: new Map([[0, 7]]) }),
    ],
    [
      "appendEntries.entries.payload.membership.incarnations",
      withMembership({ ...membership, incarnations: new Map([[1, 0]]) }),
    ],
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
      leaving: [1],
      incarnations: new Map([
        [1, 77],
        [2, 2 ** 53 - 1],
      ]),
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
      expect(fieldOf(() => checkReadIndexRequest({ lease }))).toBe("accepted");
    for (const readIndex of [null, logId(0, 0), logId(3, 9)])
      expect(fieldOf(() => checkReadIndexResponse({ readIndex }))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["readIndex", null],
    ["readIndex.lease", {}],
    ["readIndex.lease", { lease: "yes" }],
  ])("%s is named when it is wrong: %j", (field, request) => {
    expect(fieldOf(() => checkReadIndexRequest(request as ReadIndexRequest))).toBe(field);
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

describe("parts of snapshots", () => {
  test("what a correct leader can send is accepted: parts, questions, and a content without bytes", () => {
    const empty = new Uint8Array(0);
    for (const request of [
      SNAPSHOT,
      { ...SNAPSHOT, offset: 0, data: empty },
      { ...SNAPSHOT, offset: 10, data: empty },
      { ...SNAPSHOT, size: 0, offset: 0, data: empty },
      { ...SNAPSHOT, meta: { ...SNAPSHOT.meta, lastLogId: logId(5, 9), snapshotId: "x".repeat(256) } },
    ]) {
      expect(fieldOf(() => checkInstallSnapshotRequest(request, SELF))).toBe("accepted");
    }
  });

  const withMeta = (wrong: object): unknown => ({ ...SNAPSHOT, meta: { ...SNAPSHOT.meta, ...wrong } });
  const { lastMembership } = SNAPSHOT.meta;

  test.each<[string, unknown]>([
    ["installSnapshot", null],
    ["installSnapshot.term", { ...SNAPSHOT, term: 0 }],
    ["installSnapshot.leaderId", { ...SNAPSHOT, leaderId: 0 }],
    ["installSnapshot.leaderId", { ...SNAPSHOT, leaderId: SELF }],
    ["installSnapshot.meta", { ...SNAPSHOT, meta: null }],
    ["installSnapshot.meta.lastLogId.term", withMeta({ lastLogId: undefined })],
    ["installSnapshot.meta.lastLogId.term", withMeta({ lastLogId: logId(6, 9) })],
    ["installSnapshot.meta.lastLogId.index", withMeta({ lastLogId: logId(0, 0) })],
    ["installSnapshot.meta.lastMembership", withMeta({ lastMembership: null })],
    ["installSnapshot.meta.lastMembership.logId.term", withMeta({ lastMembership: {} })],
    [
      "installSnapshot.meta.lastMembership.logId.index",
      withMeta({ lastMembership: { ...lastMembership, logId: logId(4, 10) } }),
    ],
    [
      "installSnapshot.meta.lastMembership.membership",
      withMeta({ lastMembership: { ...lastMembership, membership: null } }),
    ],
    [
      "installSnapshot.meta.lastMembership.membership.configs",
      withMeta({ lastMembership: { ...lastMembership, membership: { ...voters(1), configs: [] } } }),
    ],
    ["installSnapshot.meta.snapshotId", withMeta({ snapshotId: 4 })],
    ["installSnapshot.meta.snapshotId", withMeta({ snapshotId: "x".repeat(257) })],
    ["installSnapshot.size", { ...SNAPSHOT, size: -1 }],
    ["installSnapshot.size", { ...SNAPSHOT, size: Number.POSITIVE_INFINITY }],
    ["installSnapshot.offset", { ...SNAPSHOT, offset: 0.5 }],
    ["installSnapshot.offset", { ...SNAPSHOT, offset: -4 }],
    ["installSnapshot.offset", { ...SNAPSHOT, offset: 5 }],
    ["installSnapshot.offset", { ...SNAPSHOT, offset: Number.MAX_SAFE_INTEGER }],
    ["installSnapshot.data", { ...SNAPSHOT, data: "abcdef" }],
    ["installSnapshot.data", { ...SNAPSHOT, data: [1, 2, 3, 4, 5, 6] }],
  ])("%s is named when it is wrong (%#)", (field, request) => {
    expect(fieldOf(() => checkInstallSnapshotRequest(request as InstallSnapshotRequest, SELF))).toBe(field);
  });

  test("what a snapshot says of itself is checked under the name it comes by", () => {
    expect(fieldOf(() => checkSnapshotMeta("snapshot.meta", SNAPSHOT.meta))).toBe("accepted");
    expect(
      fieldOf(() => checkSnapshotMeta("snapshot.meta", { ...SNAPSHOT.meta, lastLogId: logId(0, 0) })),
    ).toBe("snapshot.meta.lastLogId.index");
  });

  test("what a correct follower can answer is accepted", () => {
    const answers: InstallSnapshotResponse[] = [
      { type: "progress", term: 5, nextOffset: 0 },
      { type: "installed", term: 5 },
      { type: "refused", term: 6 },
    ];
    for (const answer of answers)
      expect(fieldOf(() => checkInstallSnapshotResponse(answer))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["answer", undefined],
    ["answer.term", { type: "installed" }],
    ["answer.type", { term: 5 }],
    ["answer.type", { type: "nearly", term: 5 }],
    ["answer.nextOffset", { type: "progress", term: 5 }],
    ["answer.nextOffset", { type: "progress", term: 5, nextOffset: -1 }],
  ])("%s of an answer is named when it is wrong: %j", (field, response) => {
    expect(fieldOf(() => checkInstallSnapshotResponse(response as InstallSnapshotResponse))).toBe(field);
  });
});

describe("requests to take over", () => {
  test("what a correct leader can ask, and a correct voter answer, is accepted", () => {
    expect(fieldOf(() => checkTimeoutNowRequest(TIMEOUT_NOW, SELF))).toBe("accepted");
    for (const accepted of [true, false])
      expect(fieldOf(() => checkTimeoutNowResponse({ term: 5, accepted }))).toBe("accepted");
  });

  test.each<[string, unknown]>([
    ["timeoutNow", 5],
    ["timeoutNow.term", { ...TIMEOUT_NOW, term: 0 }],
    ["timeoutNow.leaderId", { ...TIMEOUT_NOW, leaderId: SELF }],
    ["timeoutNow.lastLogId.index", { ...TIMEOUT_NOW, lastLogId: { term: 1 } }],
  ])("%s is named when it is wrong: %j", (field, request) => {
    expect(fieldOf(() => checkTimeoutNowRequest(request as TimeoutNowRequest, SELF))).toBe(field);
  });

  test.each<[string, unknown]>([
    ["answer", null],
    ["answer.term", { accepted: true }],
    ["answer.accepted", { term: 5 }],
    ["answer.accepted", { term: 5, accepted: 1 }],
  ])("%s of an answer is named when it is wrong: %j", (field, response) => {
    expect(fieldOf(() => checkTimeoutNowResponse(response as TimeoutNowResponse))).toBe(field);
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
        type: fc.constantFrom("success", "conflict", "refused", "progress", 1),
        term: fc.anything(),
        hint: fc.anything(),
        matchIndex: fc.anything(),
        nextOffset: fc.anything(),
      }),
      fc.record({
        term: fc.constant(5),
        leaderId: fc.constant(2),
        meta: fc.oneof(
          fc.anything(),
          fc.record({
            lastLogId: fc.oneof(fc.constant(logId(4, 9)), fc.anything()),
            lastMembership: fc.anything(),
            snapshotId: fc.anything(),
          }),
        ),
        size: fc.anything(),
        offset: fc.anything(),
        data: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(anything, (message) => {
        fieldOf(() => checkVoteRequest("vote", message as VoteRequest, SELF));
        fieldOf(() => checkAppendEntriesRequest(message as AppendEntriesRequest, SELF));
        fieldOf(() => checkVoteResponse(message as VoteResponse));
        fieldOf(() => checkAppendEntriesResponse(message as AppendEntriesResponse));
        fieldOf(() => checkInstallSnapshotRequest(message as InstallSnapshotRequest, SELF));
        fieldOf(() => checkInstallSnapshotResponse(message as InstallSnapshotResponse));
        fieldOf(() => checkTimeoutNowRequest(message as TimeoutNowRequest, SELF));
        fieldOf(() => checkTimeoutNowResponse(message as TimeoutNowResponse));
        fieldOf(() => checkReadIndexRequest(message as ReadIndexRequest));
        fieldOf(() => checkReadIndexResponse(message as ReadIndexResponse));
        fieldOf(() => checkSession("session", message as SessionCommand));
      }),
      { numRuns: 500 },
    );
  });
});
