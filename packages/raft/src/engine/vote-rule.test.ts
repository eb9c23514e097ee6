import { describe, expect, test } from "vitest";
import { id, makeContext, only } from "../../test/engine-harness.js";
import type { Context } from "./context.js";
import { acceptLeader, commitOwnVote, grantVote, isUpToDate, observeTerm, voteForSelf } from "./vote-rule.js";

function request(term: number, candidateId: number, lastLogId = id(9, 9)) {
  return { term, candidateId, lastLogId, transfer: false };
}

function savedVotes(ctx: Context) {
  return only(ctx.out, "saveVote").map(({ vote }) => vote);
}

describe("whoever sees a later term takes it over and follows (section 5.1)", () => {
  test("without a vote in it, durably", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2, committed: true } });
    observeTerm(ctx, 5);
    expect(ctx.state.vote).toEqual({ term: 5, votedFor: null, committed: false });
    expect(savedVotes(ctx)).toEqual([ctx.state.vote]);
  });

  test("a candidate steps down", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    ctx.state.role = { type: "candidate", granted: new Set(), ownVoteIo: 1 };
    observeTerm(ctx, 4);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: null });
  });

  test("an equal or earlier term changes nothing: the vote of a term is never forgotten", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2, committed: false } });
    observeTerm(ctx, 3);
    observeTerm(ctx, 2);
    expect(ctx.state.vote).toEqual({ term: 3, votedFor: 2, committed: false });
    expect(ctx.out).toEqual([]);
  });
});

describe("a log is up to date (section 5.4.1)", () => {
  const ctx = makeContext({ terms: [1, 1, 3] });

  test("when its last term is later, however short it is", () => {
    expect(isUpToDate(ctx, id(4, 1))).toBe(true);
  });

  test("not when its last term is earlier, however long it is", () => {
    expect(isUpToDate(ctx, id(2, 99))).toBe(false);
  });

  test("in the same term when it is at least as long", () => {
    expect(isUpToDate(ctx, id(3, 2))).toBe(false);
    expect(isUpToDate(ctx, id(3, 3))).toBe(true);
    expect(isUpToDate(ctx, id(3, 4))).toBe(true);
  });
});

describe("one vote a term, first come first served (section 5.2)", () => {
  test("the first candidate gets it, durably, and the election is put off", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    ctx.now += 100;
    expect(grantVote(ctx, request(3, 2))).toBe(true);
    expect(savedVotes(ctx)).toEqual([{ term: 3, votedFor: 2, committed: false }]);
    expect(ctx.state.electionDeadline).toBe(1100 + 225);
  });

  test("the second candidate does not", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2 } });
    const deadline = ctx.state.electionDeadline;
    ctx.now += 100;
    expect(grantVote(ctx, request(3, 3))).toBe(false);
    expect(ctx.state.vote.votedFor).toBe(2);
    expect(ctx.out).toEqual([]);
    expect(ctx.state.electionDeadline).toBe(deadline);
  });

  test("the same candidate may ask again, and nothing is written twice", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2 } });
    expect(grantVote(ctx, request(3, 2))).toBe(true);
    expect(ctx.out).toEqual([]);
  });

  test("a candidate of an earlier term gets none", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    expect(grantVote(ctx, request(2, 2))).toBe(false);
    expect(ctx.state.vote.votedFor).toBeNull();
  });

  test("a candidate whose log is outdated gets none", () => {
    const ctx = makeContext({ terms: [1, 2], vote: { term: 3 } });
    expect(grantVote(ctx, request(3, 2, id(1, 8)))).toBe(false);
    expect(ctx.state.vote.votedFor).toBeNull();
  });
});

describe("this node's own candidacy", () => {
  test("begins the next term with a vote for itself, and says which write makes it durable", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2 } });
    expect(voteForSelf(ctx)).toBe(1);
    expect(ctx.state.vote).toEqual({ term: 4, votedFor: 1, committed: false });
    expect(savedVotes(ctx)).toEqual([ctx.state.vote]);
  });

  test("once won, is kept as won", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 1 } });
    commitOwnVote(ctx);
    expect(savedVotes(ctx)).toEqual([{ term: 3, votedFor: 1, committed: true }]);
  });
});

describe("the leader of a term", () => {
  test("is refused when its term is over", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    expect(acceptLeader(ctx, 2, 2)).toBe(false);
    expect(ctx.out).toEqual([]);
  });

  test("brings its term along, and its vote with it", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    expect(acceptLeader(ctx, 5, 2)).toBe(true);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
    expect(savedVotes(ctx)).toEqual([{ term: 5, votedFor: 2, committed: true }]);
  });

  test("puts the next election off and is remembered as heard from, each time", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2, committed: true } });
    ctx.now = 1100;
    acceptLeader(ctx, 3, 2);
    ctx.now = 1200;
    acceptLeader(ctx, 3, 2);
    expect(ctx.state).toMatchObject({ leaderContact: 1200, electionDeadline: 1200 + 225 });
    expect(ctx.out).toEqual([]);
  });

  test("is followed by who voted for another: the vote stays where it was", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 3 } });
    expect(acceptLeader(ctx, 3, 2)).toBe(true);
    expect(ctx.state.vote).toEqual({ term: 3, votedFor: 3, committed: false });
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
  });

  test("is followed by a candidate that lost to it, which keeps its vote for itself", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 1 } });
    ctx.state.role = { type: "candidate", granted: new Set([1]), ownVoteIo: 1 };
    expect(acceptLeader(ctx, 3, 2)).toBe(true);
    expect(ctx.state.vote).toEqual({ term: 3, votedFor: 1, committed: false });
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
  });

  test("is refused when another is known, which Election Safety rules out among honest nodes", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    acceptLeader(ctx, 3, 2);
    expect(acceptLeader(ctx, 3, 3)).toBe(false);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
  });

  test("is refused by a node that was restarted, and still knows by its vote that another won", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 2, committed: true } });
    expect(acceptLeader(ctx, 3, 3)).toBe(false);
    expect(acceptLeader(ctx, 3, 2)).toBe(true);
  });

  test("is refused by a restarted node that won this term itself", () => {
    const ctx = makeContext({ vote: { term: 3, votedFor: 1, committed: true } });
    expect(acceptLeader(ctx, 3, 2)).toBe(false);
    expect(acceptLeader(ctx, 4, 2)).toBe(true);
  });
});
