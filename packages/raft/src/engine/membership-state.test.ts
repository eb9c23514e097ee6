import type { Membership } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { id, makeContext, memberships, voters } from "../../test/engine-harness.js";
import {
  adoptMembership,
  adoptSnapshotMembership,
  commitMemberships,
  committedMembership,
  effectiveMembership,
  isVotingHere,
  mayBeNeeded,
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

describe("a snapshot that was installed", () => {
  const stored = { logId: id(1, 5), membership: voters(2, 3) };

  test("brings the membership that was in force where it ends; those of later entries stand", () => {
    const state = withThree();
    adoptSnapshotMembership(state, stored, 6);
    expect(state.memberships).toEqual([stored, third]);
  });

  test("leaves nothing of what was before its end", () => {
    const state = withThree();
    adoptSnapshotMembership(state, stored, 7);
    expect(state.memberships).toEqual([stored]);
  });

  test("and what is known to be committed after it is the committed one", () => {
    const state = withThree();
    state.committed = id(1, 8);
    adoptSnapshotMembership(state, stored, 6);
    expect(state.memberships).toEqual([third]);
  });
});

describe("a node may be needed to lead", () => {
  const withStore = (incarnation: number) =>
    memberships([[1, 2]], 2, { incarnations: new Map([[1, incarnation]]) });
  const needed = (...list: readonly Membership[]): boolean =>
    mayBeNeeded({
      id: 1,
      incarnation: 11,
      memberships: list.map((membership, i) => ({ logId: id(1, i), membership })),
    });

  test("as long as it votes in a membership that may still be in force", () => {
    expect(needed(voters(1, 2))).toBe(true);
    expect(needed(voters(1, 2), voters(2))).toBe(true);
    expect(needed(voters(2), voters(1, 2))).toBe(true);
    expect(needed(voters(2))).toBe(false);
  });

  test("and none of them names another store, unless the one in force names this one: its own vote must not count for the other", () => {
    expect(needed(voters(1, 2), withStore(11))).toBe(true);
    expect(needed(withStore(12), voters(2))).toBe(false);
    expect(needed(withStore(12), withStore(11), voters(2))).toBe(false);
    // Erased, removed and added again: it is a voter like any other, whatever it knows to be committed of that.
    expect(needed(withStore(12), withStore(11))).toBe(true);
    expect(needed(voters(1, 2), withStore(12))).toBe(false);
  });
});

describe("a node votes", () => {
  const incarnations = new Map([[1, 11]]);

  test("where it is a voter, in either set", () => {
    const joint = memberships(
      [
        [1, 2],
        [2, 3],
      ],
      4,
    );
    expect([1, 2, 3, 4].map((each) => isVotingHere({ id: each, incarnation: 0 }, joint))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test("from the store that is noted, from any while none is, and from any where stores are not told apart", () => {
    const noted = memberships([[1, 2]], 2, { incarnations });
    expect(isVotingHere({ id: 1, incarnation: 11 }, noted)).toBe(true);
    expect(isVotingHere({ id: 1, incarnation: 12 }, noted)).toBe(false);
    expect(isVotingHere({ id: 1, incarnation: 0 }, noted)).toBe(true);
    expect(isVotingHere({ id: 2, incarnation: 12 }, noted)).toBe(true);
  });
});
