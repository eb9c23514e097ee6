import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elect,
  id,
  makeContext,
  memberships,
  only,
  the,
  voters,
} from "../../test/engine-harness.js";
import { campaign, startElection } from "./election.js";

describe("an election that is due", () => {
  test("begins with pre-votes in the old term: nothing is written, nothing promised (thesis section 9.6)", () => {
    const node = new TestEngine({ terms: [1, 2], vote: { term: 4 } });
    const out = node.pass(300);
    expect(out).toEqual(
      [2, 3].map((to) => ({
        type: "sendPreVote",
        to,
        request: { term: 5, candidateId: 1, lastLogId: id(2, 2) },
      })),
    );
    expect(node.role).toBe("preCandidate");
    expect(node.state.vote.term).toBe(4);
  });

  test("goes on to the vote once a quorum would give it", () => {
    const node = new TestEngine({ membership: voters(1, 2, 3, 4, 5) });
    node.pass(300);
    expect(node.preVoteResponse(2, 1, true)).toEqual([]);
    const out = node.preVoteResponse(4, 1, true);
    expect(node.role).toBe("candidate");
    expect(only(out, "sendVote").map(({ to }) => to)).toEqual([2, 3, 4, 5]);
  });

  test("stays in its term when too few would vote for it, however often it asks", () => {
    const node = new TestEngine();
    for (let i = 0; i < 5; i++) expect(only(node.pass(300), "sendPreVote")).toHaveLength(2);
    expect(node.state.vote.term).toBe(0);
  });

  test("asks for votes at once where pre-vote is off", () => {
    const node = new TestEngine({ switches: { preVote: false } });
    const out = node.pass(300);
    expect(only(out, "sendPreVote")).toEqual([]);
    expect(node.state.vote).toEqual({ term: 1, votedFor: 1, committed: false });
    expect(only(out, "sendVote")).toHaveLength(2);
  });

  test("does not happen on a learner", () => {
    const ctx = makeContext({ membership: memberships([[2, 3]], 3) });
    startElection(ctx);
    expect(ctx.out).toEqual([]);
    expect(ctx.state.role.type).toBe("learner");
  });
});

describe("a candidate", () => {
  test("saves its vote, then asks every other voter, once that is durable", () => {
    const ctx = makeContext({ terms: [2], vote: { term: 4 }, membership: memberships([[1, 2, 3]], 4) });
    campaign(ctx, false);
    const request = { term: 5, candidateId: 1, lastLogId: id(2, 1), transfer: false };
    expect(ctx.out).toEqual([
      { type: "saveVote", ioSeq: 1, vote: { term: 5, votedFor: 1, committed: false } },
      { type: "sendVote", to: 2, request, afterIo: 1 },
      { type: "sendVote", to: 3, request, afterIo: 1 },
    ]);
  });

  test("while joint asks the voters of both sets", () => {
    const ctx = makeContext({
      membership: memberships([
        [1, 2],
        [2, 3, 4],
      ]),
    });
    campaign(ctx, false);
    expect(only(ctx.out, "sendVote").map(({ to }) => to)).toEqual([2, 3, 4]);
  });

  test("counts its own vote only once it is durable (section 5.2)", () => {
    const node = new TestEngine();
    node.step({ type: "elect" });
    expect(node.state.role).toMatchObject({ granted: new Set() });
    node.voteResponse(2, 1, true);
    expect(node.role).toBe("candidate");
    node.persist();
    expect(node.role).toBe("leader");
  });

  test("of a cluster of one wins when its own vote is durable, and not before", () => {
    const node = new TestEngine({ membership: voters(1) });
    node.pass(0);
    expect(node.role).toBe("candidate");
    node.persist();
    expect(node.role).toBe("leader");
  });

  test("wins with a majority of the voters, and not with votes of learners", () => {
    const node = new TestEngine({ membership: memberships([[1, 2, 3]], 5) });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(4, 1, true);
    node.voteResponse(5, 1, true);
    expect(node.role).toBe("candidate");
    node.voteResponse(3, 1, true);
    expect(node.role).toBe("leader");
  });

  test("while joint needs a majority of the old set and of the new one (section 6)", () => {
    const joint = memberships([
      [1, 2, 3],
      [1, 4, 5],
    ]);
    const node = new TestEngine({ membership: joint });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(4, 1, true);
    node.voteResponse(5, 1, true);
    expect(node.role).toBe("candidate");
    node.voteResponse(2, 1, true);
    expect(node.role).toBe("leader");
  });

  test("of an old term asks for pre-votes again when its time is up, instead of raising the term alone", () => {
    const node = new TestEngine();
    node.step({ type: "elect" });
    node.persist();
    node.pass(300);
    expect(node.role).toBe("preCandidate");
    expect(node.state.vote.term).toBe(1);
  });
});

describe("who wins", () => {
  test("keeps the vote as won, appends a blank entry of its own term and sends it to all (section 8)", () => {
    const { won } = elect({ terms: [1, 1], vote: { term: 3 }, membership: memberships([[1, 2]], 3) });
    expect(won.map(({ type }) => type)).toEqual([
      "saveVote",
      "append",
      "sendAppendEntries",
      "sendAppendEntries",
    ]);
    expect(the(won, "saveVote").vote).toEqual({ term: 4, votedFor: 1, committed: true });
    expect(the(won, "append").entries).toEqual([{ logId: id(4, 3), payload: { type: "blank" } }]);
    expect(
      only(won, "sendAppendEntries").map(({ to, prevLogId, upto }) => ({ to, prevLogId, upto })),
    ).toEqual([2, 3].map((to) => ({ to, prevLogId: id(1, 2), upto: 3 })));
  });

  test("has not committed anything yet, its own disk being slow", () => {
    const { node } = elect({ membership: voters(1) });
    expect(node.state.committed.index).toBe(0);
    node.persist();
    expect(node.state.committed).toEqual(id(1, 1));
  });
});
