import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError } from "../errors.js";
import { ZERO_LOG_ID } from "../log-id.js";
import type { HardState } from "./messages.js";
import { hardStateToVote, voteToHardState } from "./hard-state.js";

const unasked = (): never => expect.unreachable("nothing is committed, so no term is looked up");

/** A hard state and the term of its committed entry, never later than its own. */
const anyHardState: fc.Arbitrary<{ hardState: HardState<number>; committedTerm: number }> = fc
  .record({
    terms: fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()),
    vote: fc.maxSafeNat(),
    commit: fc.oneof(fc.nat(3), fc.maxSafeNat()),
  })
  .map(({ terms, vote, commit }) => ({
    hardState: { term: Math.max(...terms), vote, commit },
    committedTerm: Math.min(...terms),
  }));

describe("eraftpb::HardState -> Vote + LogId", () => {
  test("extracts term, node id and commit index", () => {
    expect(hardStateToVote({ term: 5, vote: 2, commit: 40 }, () => 5)).toEqual({
      vote: { term: 5, votedFor: 2, committed: false },
      committed: { term: 5, index: 40 },
    });
  });

  test("the committed log id takes its term from the entry, never from the hard state", () => {
    const log = new Map([
      [39, 2],
      [40, 3],
      [41, 5],
    ]);
    const { committed } = hardStateToVote({ term: 9, vote: 0, commit: 40 }, (index) => log.get(index));
    expect(committed).toEqual({ term: 3, index: 40 });
    fc.assert(
      fc.property(anyHardState, ({ hardState, committedTerm }) => {
        const expected =
          hardState.commit === 0 ? ZERO_LOG_ID : { term: committedTerm, index: hardState.commit };
        expect(hardStateToVote(hardState, () => committedTerm).committed).toEqual(expected);
      }),
    );
  });

  test("vote 0 is a vote for nobody", () => {
    expect(hardStateToVote({ term: 5, vote: 0n, commit: 0 }, unasked).vote.votedFor).toBeNull();
  });

  test("commit 0 is the log id before the first entry, and looks nothing up", () => {
    expect(hardStateToVote({ term: 5, vote: 1, commit: 0 }, unasked).committed).toEqual(ZERO_LOG_ID);
  });

  test("every field and the looked-up term may be bigints", () => {
    expect(hardStateToVote({ term: 5n, vote: 2n, commit: 40n }, () => 4n)).toEqual(
      hardStateToVote({ term: 5, vote: 2, commit: 40 }, () => 4),
    );
  });

  test.each<[string, HardState, number | undefined, string]>([
    [
      "a commit past the end of the log",
      { term: 5, vote: 1, commit: 40 },
      undefined,
      "termAt(40) is undefined",
    ],
    [
      "a committed entry of a later term",
      { term: 5, vote: 1, commit: 40 },
      6,
      "termAt(40) is 6, but it must be at most 5",
    ],
    ["a negative term", { term: -1, vote: 1, commit: 0 }, 0, "hardState.term is -1"],
    [
      "a vote past 2^53 - 1",
      { term: 1, vote: 2n ** 60n, commit: 0 },
      0,
      "hardState.vote is 1152921504606846976n",
    ],
    ["a commit with a fraction", { term: 1, vote: 1, commit: 0.5 }, 0, "hardState.commit is 0.5"],
  ])("refuses %s", (_, hardState, term, message) => {
    expect(() => hardStateToVote(hardState, () => term)).toThrow(InvalidValueError);
    expect(() => hardStateToVote(hardState, () => term)).toThrow(message);
  });
});

describe("Vote + LogId -> eraftpb::HardState", () => {
  test("there and back gives the same hard state", () => {
    fc.assert(
      fc.property(anyHardState, ({ hardState, committedTerm }) => {
        const { vote, committed } = hardStateToVote(hardState, () => committedTerm);
        expect(voteToHardState(vote, committed)).toEqual(hardState);
      }),
    );
  });

  test("forgets only that an election was won", () => {
    const won = { term: 5, votedFor: 2, committed: true };
    const back = hardStateToVote(voteToHardState(won, { term: 4, index: 9 }), () => 4);
    expect(back).toEqual({ vote: { ...won, committed: false }, committed: { term: 4, index: 9 } });
  });

  test.each<[string, number, number | null, number, number, string]>([
    ["a committed entry of a later term", 5, 2, 6, 9, "committed.term is 6, but it must be at most 5"],
    ["a vote for node 0, which would become nobody", 5, 0, 4, 9, "vote.votedFor is 0"],
    ["a negative index", 5, null, 4, -9, "committed.index is -9"],
  ])("refuses %s", (_, term, votedFor, committedTerm, index, message) => {
    const vote = { term, votedFor, committed: false };
    expect(() => voteToHardState(vote, { term: committedTerm, index })).toThrow(InvalidValueError);
    expect(() => voteToHardState(vote, { term: committedTerm, index })).toThrow(message);
  });
});
