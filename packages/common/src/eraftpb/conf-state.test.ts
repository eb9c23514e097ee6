import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodesFor } from "../../test/arbitraries.js";
import { InvalidValueError } from "../errors.js";
import { EMPTY_MEMBERSHIP, isJoint, isVoter, learnerIds, voterIds } from "../membership.js";
import type { JointDetails } from "./conf-state.js";
import { confStateToMembership, leaveJoint, membershipToConfState } from "./conf-state.js";
import type { ConfState } from "./messages.js";

function confState(fields: Partial<ConfState> = {}): ConfState {
  return {
    voters: [1, 2, 3],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
    ...fields,
  };
}

const everyone = nodesFor([1, 2, 3, 4, 5, 6, 7, 8, 9]);

/** 4 and 6 are on their way out: 4 stays as a learner, 6 goes. */
const joint = confState({
  voters: [1, 2, 3],
  votersOutgoing: [1, 2, 4, 6],
  learners: [5],
  learnersNext: [4],
  autoLeave: true,
});

/** ConfStates that raft-rs can be in: every node gets one of the parts there are. */
const anyConfState: fc.Arbitrary<ConfState<number>> = fc
  .record({
    parts: fc.array(fc.constantFrom("none", "in", "out", "both", "learner", "demoted"), { maxLength: 8 }),
    autoLeave: fc.boolean(),
  })
  .map(({ parts, autoLeave }) => {
    const having = (...wanted: string[]): number[] =>
      parts.flatMap((part, at) => (wanted.includes(part) ? [at + 1] : []));
    const votersOutgoing = having("out", "both", "demoted");
    return {
      voters: [...having("in", "both"), 9],
      learners: having("learner"),
      votersOutgoing,
      learnersNext: having("demoted"),
      autoLeave: autoLeave && votersOutgoing.length > 0,
    };
  });

function detailsOf({ votersOutgoing, learnersNext, autoLeave }: ConfState): JointDetails | undefined {
  return votersOutgoing.length === 0 ? undefined : { learnersNext, autoLeave };
}

describe("eraftpb::ConfState -> Membership", () => {
  test("voters and learners become sorted sets", () => {
    const membership = confStateToMembership(confState({ voters: [3, 1, 2, 3], learners: [5, 4] }), everyone);
    expect(membership.configs).toEqual([[1, 2, 3]]);
    expect(learnerIds(membership)).toEqual([4, 5]);
    expect(membership.nodes.get(4)).toEqual({ addr: "10.0.0.4:7000" });
  });

  test("a joint one gives two configs, the outgoing voters first", () => {
    const membership = confStateToMembership(joint, everyone);
    expect(isJoint(membership)).toBe(true);
    expect(membership.configs).toEqual([
      [1, 2, 4, 6],
      [1, 2, 3],
    ]);
    expect(learnerIds(membership)).toEqual([5]);
  });

  test("a node of learners_next still votes in the outgoing config, and is a learner afterwards", () => {
    expect(isVoter(confStateToMembership(joint, everyone), 4)).toBe(true);
    const after = confStateToMembership(leaveJoint(joint), everyone);
    expect(after.configs).toEqual([[1, 2, 3]]);
    expect(learnerIds(after)).toEqual([4, 5]);
    expect(after.nodes.has(6)).toBe(false);
  });

  test("the members are exactly those of the ConfState, whoever else has a node", () => {
    fc.assert(
      fc.property(anyConfState, (state) => {
        const membership = confStateToMembership(state, everyone);
        expect(new Set(voterIds(membership))).toEqual(new Set([...state.voters, ...state.votersOutgoing]));
        expect(learnerIds(membership)).toEqual(state.learners);
      }),
    );
  });

  test("ids may be bigints", () => {
    expect(confStateToMembership(confState({ voters: [2n, 1n], learners: [3n] }), everyone)).toEqual(
      confStateToMembership(confState({ voters: [1, 2], learners: [3] }), everyone),
    );
  });

  test("that of a node never initialized is the empty membership", () => {
    expect(confStateToMembership(confState({ voters: [] }), everyone)).toBe(EMPTY_MEMBERSHIP);
  });

  test.each<[string, Partial<Record<keyof ConfState, unknown>>, string]>([
    ["learners without voters", { voters: [], learners: [1] }, "confState.voters is []"],
    ["outgoing voters without incoming ones", { voters: [], votersOutgoing: [1] }, "confState.voters is []"],
    ["a learner that votes", { learners: [1] }, "confState.learners is [1]"],
    [
      "a learner that still votes in the outgoing set",
      { votersOutgoing: [4], learners: [4] },
      "confState.learners is [4]",
    ],
    [
      "a learner-to-be that is not on its way out",
      { votersOutgoing: [1], learnersNext: [4] },
      "confState.learnersNext is [4]",
    ],
    [
      "a learner-to-be that goes on voting",
      { votersOutgoing: [1], learnersNext: [1] },
      "confState.learnersNext is [1]",
    ],
    ["learners-to-be outside a joint configuration", { learnersNext: [4] }, "confState.learnersNext is [4]"],
    ["leaving a joint configuration that is none", { autoLeave: true }, "confState.autoLeave is true"],
    ["a missing auto_leave", { autoLeave: undefined }, "confState.autoLeave is undefined"],
    ["node 0", { voters: [1, 0] }, "confState.voters[1] is 0"],
    ["an id past 2^53 - 1", { learners: [2n ** 53n] }, "confState.learners[0] is 9007199254740992n"],
    [
      "a list that is none",
      { learners: undefined },
      "confState.learners is undefined, but it must be an array",
    ],
    [
      "a member without a node",
      { voters: [1, 77] },
      "nodes is [1,2,3,4,5,6,7,8,9], but it must be a node for member 77",
    ],
  ])("refuses %s", (_, fields, message) => {
    const state = confState(fields as Partial<ConfState>);
    expect(() => confStateToMembership(state, everyone)).toThrow(InvalidValueError);
    expect(() => confStateToMembership(state, everyone)).toThrow(message);
  });
});

describe("Membership -> eraftpb::ConfState", () => {
  test("there and back gives the same ConfState, given what a joint membership does not say", () => {
    fc.assert(
      fc.property(anyConfState, (state) => {
        expect(membershipToConfState(confStateToMembership(state, everyone), detailsOf(state))).toEqual(
          state,
        );
      }),
    );
  });

  test("back and there gives the same membership, given the nodes", () => {
    fc.assert(
      fc.property(anyConfState, (state) => {
        const membership = confStateToMembership(state, everyone);
        const back = confStateToMembership(
          membershipToConfState(membership, detailsOf(state)),
          membership.nodes,
        );
        expect(back).toEqual(membership);
      }),
    );
  });

  test("the empty membership gives an empty ConfState", () => {
    expect(membershipToConfState(EMPTY_MEMBERSHIP)).toEqual(confState({ voters: [] }));
  });

  test("a joint membership is refused without what it does not say", () => {
    const membership = confStateToMembership(joint, everyone);
    expect(() => membershipToConfState(membership)).toThrow(InvalidValueError);
    expect(() => membershipToConfState(membership)).toThrow("joint is undefined, but it must be given");
  });

  test("what only a joint membership needs is refused for any other", () => {
    const membership = confStateToMembership(confState(), everyone);
    expect(() => membershipToConfState(membership, { learnersNext: [], autoLeave: false })).toThrow(
      "but it must be left out: the membership is not joint",
    );
  });

  test("learners-to-be have to be outgoing voters of the membership", () => {
    const membership = confStateToMembership(joint, everyone);
    expect(() => membershipToConfState(membership, { learnersNext: [3], autoLeave: false })).toThrow(
      "confState.learnersNext is [3]",
    );
  });
});

describe("leaveJoint", () => {
  test("keeps the incoming voters and the learners, old and new, and nobody else", () => {
    fc.assert(
      fc.property(
        anyConfState.filter((state) => state.votersOutgoing.length > 0),
        (state) => {
          const after = leaveJoint(state);
          expect(after).toEqual({
            voters: state.voters,
            learners: [...state.learners, ...state.learnersNext].sort((a, b) => a - b),
            votersOutgoing: [],
            learnersNext: [],
            autoLeave: false,
          });
        },
      ),
    );
  });

  test("sorts its lists and counts repeated ids once, numbers and bigints alike", () => {
    const after = leaveJoint(
      confState({ voters: [3, 1, 3n], votersOutgoing: [9n, 1, 8], learnersNext: [9, 8n] }),
    );
    expect(after).toMatchObject({ voters: [1, 3], learners: [8, 9] });
  });

  test("refuses a configuration that is not joint", () => {
    expect(() => leaveJoint(confState())).toThrow(
      "confState.votersOutgoing is [], but it must be at least one voter",
    );
  });
});
