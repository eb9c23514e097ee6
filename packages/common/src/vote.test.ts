import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyVote } from "../test/arbitraries.js";
import { ZERO_VOTE, equalVotes, formatVote, voteMayBecome } from "./vote.js";

const nobody = { term: 3, votedFor: null, committed: false };
const forOne = { term: 3, votedFor: 1, committed: false };
const forTwo = { term: 3, votedFor: 2, committed: false };
const oneWon = { term: 3, votedFor: 1, committed: true };

describe("what may follow a vote is a partial order", () => {
  test("reflexive: the same vote may be saved again", () => {
    fc.assert(fc.property(anyVote, (a) => voteMayBecome(a, { ...a })));
  });

  test("antisymmetric: of two different votes at most one may follow the other", () => {
    fc.assert(
      fc.property(anyVote, anyVote, (a, b) => {
        if (voteMayBecome(a, b) && voteMayBecome(b, a)) expect(equalVotes(a, b)).toBe(true);
      }),
    );
  });

  test("transitive: what may follow in two steps may follow in one", () => {
    fc.assert(
      fc.property(anyVote, anyVote, anyVote, (a, b, c) => {
        if (voteMayBecome(a, b) && voteMayBecome(b, c)) expect(voteMayBecome(a, c)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a vote only gains within its term", () => {
  test("nobody, then a candidate, then that candidate committed", () => {
    expect(voteMayBecome(nobody, forOne)).toBe(true);
    expect(voteMayBecome(forOne, oneWon)).toBe(true);
    expect(voteMayBecome(nobody, oneWon)).toBe(true);
  });

  test("it is never taken back", () => {
    expect(voteMayBecome(forOne, nobody)).toBe(false);
    expect(voteMayBecome(oneWon, forOne)).toBe(false);
    expect(voteMayBecome(oneWon, nobody)).toBe(false);
  });

  test("it never moves from one candidate to another, won or not (section 5.2)", () => {
    expect(voteMayBecome(forOne, forTwo)).toBe(false);
    expect(voteMayBecome(forTwo, oneWon)).toBe(false);
    fc.assert(
      fc.property(anyVote, anyVote, (a, b) => {
        const moves = a.term === b.term && a.votedFor !== null && a.votedFor !== b.votedFor;
        if (moves) expect(voteMayBecome(a, b)).toBe(false);
      }),
    );
  });
});

describe("between terms", () => {
  test("any vote of a later term may follow, whatever was promised before (section 5.1)", () => {
    expect(voteMayBecome(oneWon, { term: 4, votedFor: null, committed: false })).toBe(true);
    expect(voteMayBecome(oneWon, { term: 4, votedFor: 2, committed: false })).toBe(true);
  });

  test("no vote of an earlier term may follow, however decided", () => {
    expect(voteMayBecome(nobody, { term: 2, votedFor: 1, committed: true })).toBe(false);
  });

  test("every vote may follow that of a new node", () => {
    fc.assert(fc.property(anyVote, (vote) => voteMayBecome(ZERO_VOTE, vote)));
  });
});

describe("equalVotes", () => {
  test("compares term, candidate and outcome", () => {
    expect(equalVotes(forOne, { ...forOne })).toBe(true);
    expect(equalVotes(forOne, { ...forOne, term: 4 })).toBe(false);
    expect(equalVotes(forOne, forTwo)).toBe(false);
    expect(equalVotes(forOne, oneWon)).toBe(false);
  });
});

test("a vote is written as term, candidate and outcome", () => {
  expect([nobody, forOne, oneWon].map(formatVote)).toEqual(["T3", "T3:n1", "T3:n1!"]);
});

test("the vote of a new node cannot be changed by accident", () => {
  expect(Object.isFrozen(ZERO_VOTE)).toBe(true);
});
