import { describe, expect, test } from "vitest";
import { id, makeContext, voters } from "../../test/engine-harness.js";
import {
  adoptMembership,
  commitMemberships,
  committedMembership,
  effectiveMembership,
  membershipOf,
  rollBackMemberships,
} from "./membership-state.js";
import type { EngineState } from "./state.js";

const first = voters(1, 2, 3);
const second = { logId: id(1, 4), membership: voters(1, 2) };
const third = { logId: id(1, 7), membership: voters(1) };

function withThree(): EngineState {
  const { state } = makeContext({ membership: first });
  adoptMembership(state, second);
  adoptMembership(state, third);
  return state;
}

describe("the last membership in the log is in force, committed or not (thesis section 4.1)", () => {
  test("from the moment it is appended", () => {
    const { state } = makeContext({ membership: first });
    expect(membershipOf(state)).toEqual(first);
    adoptMembership(state, second);
    expect(effectiveMembership(state)).toEqual(second);
    expect(membershipOf(state)).toEqual(second.membership);
    expect(committedMembership(state).membership).toEqual(first);
  });

  test("until it is truncated: then the one before it is in force again", () => {
    const state = withThree();
    rollBackMemberships(state, 7);
    expect(effectiveMembership(state)).toEqual(second);
    rollBackMemberships(state, 2);
    expect(membershipOf(state)).toEqual(first);
  });

  test("a truncation after it leaves it", () => {
    const state = withThree();
    rollBackMemberships(state, 8);
    expect(effectiveMembership(state)).toEqual(third);
  });

  test("the last committed one is never truncated", () => {
    const state = withThree();
    rollBackMemberships(state, 0);
    expect(state.memberships).toHaveLength(1);
  });
});

describe("once a membership is committed, those before it cannot come back", () => {
  test("they are forgotten when its entry is committed, not before", () => {
    const state = withThree();
    commitMemberships(state, 3);
    expect(state.memberships).toHaveLength(3);
    commitMemberships(state, 4);
    expect(committedMembership(state)).toEqual(second);
    commitMemberships(state, 6);
    expect(state.memberships).toEqual([second, third]);
  });

  test("several may be committed at once", () => {
    const state = withThree();
    commitMemberships(state, 9);
    expect(state.memberships).toEqual([third]);
  });
});
