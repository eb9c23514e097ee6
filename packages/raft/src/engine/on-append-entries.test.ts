import { describe, expect, test } from "vitest";
import {
  TestEngine,
  entries,
  id,
  membershipEntry,
  memberships,
  only,
  the,
  voters,
} from "../../test/engine-harness.js";

/** A follower of node 2 in term 3. */
function follower(
  terms: readonly number[],
  options: { committed?: number; applied?: number } = {},
): TestEngine {
  return new TestEngine({ terms, vote: { term: 3, votedFor: 2, committed: true }, ...options });
}

describe("AppendEntries (figure 2)", () => {
  test("of an earlier term is refused with the present one, and changes nothing", () => {
    const node = follower([1]);
    const out = node.append({ term: 2, prevLogId: id(1, 1), entries: entries(2, 2), leaderCommit: 2 });
    expect(out).toEqual([
      { type: "answerAppendEntries", rpcId: 1, response: { type: "refused", term: 3 }, afterIo: 0 },
    ]);
    expect(node.state.log.last).toEqual(id(1, 1));
  });

  test("appends what follows on a predecessor that the log has", () => {
    const node = follower([1, 1]);
    const added = entries(3, 2, 3);
    const out = node.append({ term: 3, prevLogId: id(1, 2), entries: added });
    expect(out).toEqual([
      { type: "append", ioSeq: 1, entries: added },
      {
        type: "answerAppendEntries",
        rpcId: 1,
        response: { type: "success", term: 3, matchIndex: 4 },
        afterIo: 1,
      },
    ]);
  });

  test("is answered only when everything before it is durable, also where it adds nothing itself", () => {
    const node = follower([]);
    node.append({ term: 3, prevLogId: id(0, 0), entries: entries(1, 3) });
    const repeated = node.append({ term: 3, prevLogId: id(0, 0), entries: entries(1, 3) });
    expect(the(repeated, "answerAppendEntries")).toMatchObject({
      response: { type: "success", matchIndex: 1 },
      afterIo: 1,
    });
  });

  test("refusals and conflicts too wait for the term that they tell", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.voteRequest(3, 5, id(9, 9));
    const refused = node.append({ term: 3, prevLogId: id(0, 0) });
    expect(the(refused, "answerAppendEntries")).toMatchObject({
      response: { type: "refused", term: 5 },
      afterIo: node.state.io.issued,
    });
    const conflict = node.append({ term: 6, prevLogId: id(6, 9) });
    expect(the(conflict, "answerAppendEntries")).toMatchObject({
      response: { type: "conflict", term: 6 },
      afterIo: node.state.io.issued,
    });
    expect(node.state.io.issued).toBe(2);
  });

  test("says what matches by the request, not by the log: what follows may be another leader's", () => {
    const node = follower([1, 1, 1, 1]);
    const out = node.append({ term: 3, prevLogId: id(1, 2) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "success", term: 3, matchIndex: 2 });
  });

  test("commits no further than it matches, nor than the leader has", () => {
    const node = follower([1, 1, 1, 1]);
    node.append({ term: 3, prevLogId: id(1, 2), leaderCommit: 4 });
    expect(node.state.committed.index).toBe(2);
    node.append({ term: 3, prevLogId: id(1, 4), leaderCommit: 3 });
    expect(node.state.committed.index).toBe(3);
  });

  test("writes the term before the log, so that a crash between them leaves no entry of an unknown term", () => {
    const node = new TestEngine({ vote: { term: 1 } });
    const out = node.append({ term: 4, prevLogId: id(0, 0), entries: entries(1, 4) });
    const writes = out.filter(({ type }) => type === "saveVote" || type === "append");
    expect(writes.map(({ type }) => type)).toEqual(["saveVote", "append"]);
    expect(the(out, "saveVote").vote).toEqual({ term: 4, votedFor: 2, committed: true });
  });
});

describe("only a conflict truncates (section 5.3)", () => {
  test("an entry of another term, and everything after it, gives way", () => {
    const node = follower([1, 2, 2, 2]);
    const out = node.append({ term: 3, prevLogId: id(1, 1), entries: entries(2, 2, 3) });
    expect(the(out, "truncate")).toEqual({ type: "truncate", ioSeq: 1, since: 3 });
    expect(the(out, "append").entries).toEqual(entries(3, 3));
    expect(node.state.log.last).toEqual(id(3, 3));
  });

  test("an old or repeated request removes nothing of what came later", () => {
    const node = follower([1, 3, 3, 3]);
    for (const old of [entries(2, 3), entries(2, 3, 3), []]) {
      const out = node.append({ term: 3, prevLogId: id(1, 1), entries: old });
      expect(out.map(({ type }) => type)).toEqual(["answerAppendEntries"]);
    }
    expect(node.state.log.last).toEqual(id(3, 4));
  });

  test("a request that overlaps the log adds only what is new", () => {
    const node = follower([1, 3]);
    const out = node.append({ term: 3, prevLogId: id(1, 1), entries: entries(2, 3, 3) });
    expect(only(out, "truncate")).toEqual([]);
    expect(the(out, "append").entries).toEqual(entries(3, 3));
  });

  test("a conflict with what is committed here stops the node", () => {
    const node = follower([1, 1, 1], { committed: 2 });
    expect(() => node.append({ term: 3, prevLogId: id(1, 1), entries: entries(2, 3) })).toThrow(
      "entry 2 conflicts with the leader's, but everything up to 2 is committed",
    );
  });
});

describe("the predecessor is missing", () => {
  test("past the end of the log: the hint is where the log ends", () => {
    const out = follower([1, 1]).append({ term: 3, prevLogId: id(3, 9) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "conflict", term: 3, hint: id(1, 2) });
  });

  test("of another term: the hint passes over all entries of later terms at once", () => {
    const out = follower([1, 1, 2, 2, 2]).append({ term: 3, prevLogId: id(1, 5) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "conflict", term: 3, hint: id(1, 2) });
  });

  test("the hint is below what was refused, so that each answer makes headway", () => {
    const out = follower([1, 1, 1]).append({ term: 3, prevLogId: id(2, 3) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "conflict", term: 3, hint: id(1, 2) });
  });

  test("nothing is appended, truncated or committed", () => {
    const node = follower([1, 1, 1]);
    const out = node.append({ term: 3, prevLogId: id(2, 3), entries: entries(4, 3), leaderCommit: 4 });
    expect(out.map(({ type }) => type)).toEqual(["answerAppendEntries"]);
    expect(node.state.committed.index).toBe(0);
  });
});

describe("a purged predecessor is no conflict, because what is purged is committed", () => {
  function purged(): TestEngine {
    return new TestEngine({ purged: id(1, 5), terms: [1, 1], vote: { term: 3 } });
  }

  test("what is purged is passed over, what is new is appended", () => {
    const node = purged();
    const out = node.append({ term: 3, prevLogId: id(1, 3), entries: entries(4, 1, 1, 1, 1, 3) });
    expect(only(out, "truncate")).toEqual([]);
    expect(the(out, "append").entries).toEqual(entries(8, 3));
    expect(the(out, "answerAppendEntries").response).toMatchObject({ type: "success", matchIndex: 8 });
  });

  test("a conflict behind it still truncates", () => {
    const node = purged();
    const out = node.append({ term: 3, prevLogId: id(1, 4), entries: entries(5, 1, 1, 3) });
    expect(the(out, "truncate").since).toBe(7);
    expect(node.state.log.last).toEqual(id(3, 7));
  });

  test("a request that is purged altogether succeeds", () => {
    const out = purged().append({ term: 3, prevLogId: id(1, 1), entries: entries(2, 1, 1), leaderCommit: 9 });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "success", term: 3, matchIndex: 3 });
  });
});

describe("memberships in the log (thesis section 4.1)", () => {
  const smaller = memberships([[2, 3]], 3);

  test("act when appended", () => {
    const node = follower([1]);
    node.append({ term: 3, prevLogId: id(1, 1), entries: [membershipEntry(id(3, 2), smaller)] });
    expect(node.state.memberships.at(-1)?.membership).toEqual(smaller);
    expect(node.state.committed.index).toBe(0);
  });

  test("make a learner of a voter once that is committed, and not before: it may still be needed", () => {
    const node = follower([1]);
    node.append({ term: 3, prevLogId: id(1, 1), entries: [membershipEntry(id(3, 2), smaller)] });
    expect(node.state.role).toEqual({ type: "follower", leaderId: 2 });
    node.append({ term: 3, prevLogId: id(3, 2), leaderCommit: 1 });
    expect(node.state.role).toEqual({ type: "follower", leaderId: 2 });
    node.append({ term: 3, prevLogId: id(3, 2), leaderCommit: 2 });
    expect(node.state.role).toEqual({ type: "learner", leaderId: 2 });
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test("go back when truncated", () => {
    const node = follower([1]);
    node.append({ term: 3, prevLogId: id(1, 1), entries: [membershipEntry(id(3, 2), smaller)] });
    node.append({ term: 4, leaderId: 3, prevLogId: id(1, 1), entries: entries(2, 4) });
    expect(node.role).toBe("follower");
    expect(node.state.memberships.map(({ membership }) => membership)).toEqual([voters(1, 2, 3)]);
  });
});
