import { expect, test } from "vitest";
import { id, makeContext, voters } from "../../test/engine-harness.js";
import { unmetExpectation } from "./write-expectation.js";

test("what is not asked for is not expected, and what holds is met", () => {
  const { state } = makeContext({ terms: [1, 1], vote: { term: 3 } });
  state.memberships.push({ logId: id(1, 2), membership: voters(1, 2) });
  expect(unmetExpectation(state, {})).toBeNull();
  expect(unmetExpectation(state, { leaderTerm: 3, membershipLogId: id(1, 2) })).toBeNull();
});

test("another term, earlier or later, is said, and before the membership", () => {
  const { state } = makeContext({ vote: { term: 3 } });
  for (const leaderTerm of [2, 4]) {
    expect(unmetExpectation(state, { leaderTerm, membershipLogId: id(9, 9) })).toEqual({
      code: "preconditionFailed",
      found: "the leader's term is 3",
    });
  }
});

test("the membership is the one in force, by the whole id of its entry", () => {
  const { state } = makeContext({ terms: [1, 1] });
  state.memberships.push({ logId: id(1, 2), membership: voters(1, 2) });
  for (const membershipLogId of [id(0, 0), id(0, 2), id(1, 1)]) {
    expect(unmetExpectation(state, { membershipLogId })).toEqual({
      code: "preconditionFailed",
      found: "the membership in force is that of entry 1-2",
    });
  }
});
