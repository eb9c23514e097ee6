import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyMembership, nodesFor } from "../../test/arbitraries.js";
import { InvalidValueError } from "../errors.js";
import {
  EMPTY_MEMBERSHIP,
  createMembership,
  isJoint,
  isVoter,
  leaveJoint as leaveJointMembership,
  learnerIds,
  voterIds,
} from "../membership.js";
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

/** A leader of ours always leaves a joint membership by itself. */
function withAutoLeave(state: ConfState<number>): ConfState<number> {
  return { ...state, autoLeave: state.votersOutgoing.length > 0 };
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

  test("of the outgoing voters, those leave for good that are to be neither voters nor learners", () => {
    expect(confStateToMembership(joint, everyone).leaving).toEqual([6]);
    expect(confStateToMembership({ ...joint, learnersNext: [4, 6] }, everyone).leaving).toEqual([]);
    expect(confStateToMembership({ ...joint, learnersNext: [] }, everyone).leaving).toEqual([4, 6]);
    expect(confStateToMembership(confState(), everyone).leaving).toEqual([]);
  });

  test("no voter has an incarnation yet, for raft-rs knows of none", () => {
    expect(confStateToMembership(joint, everyone).incarnations).toEqual(new Map());
  });

  test("the membership that follows on a joint one is that of the ConfState that follows", () => {
    fc.assert(
      fc.property(
        anyConfState.filter(({ votersOutgoing }) => votersOutgoing.length > 0),
        (state) => {
          expect(leaveJointMembership(confStateToMembership(state, everyone))).toEqual(
            confStateToMembership(leaveJoint(state), everyone),
          );
        },
      ),
    );
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
  test("there and back gives the same ConfState, but that a joint one is always left automatically", () => {
    fc.assert(
      fc.property(anyConfState, (state) => {
        expect(membershipToConfState(confStateToMembership(state, everyone))).toEqual(withAutoLeave(state));
      }),
    );
  });

  test("back and there gives the same membership, given the nodes and but for the incarnations", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        const back = confStateToMembership(membershipToConfState(membership), membership.nodes);
        const { configs, nodes, leaving } = membership;
        expect(back).toEqual(createMembership(configs, nodes, { leaving }));
      }),
    );
  });

  test("the ConfState that follows on a joint one is that of the membership that follows", () => {
    fc.assert(
      fc.property(anyMembership.filter(isJoint), (membership) => {
        expect(leaveJoint(membershipToConfState(membership))).toEqual(
          membershipToConfState(leaveJointMembership(membership)),
        );
      }),
    );
  });

  test("outgoing voters that are not leaving are learners to be, and the joint one is left automatically", () => {
    const membership = createMembership(
      [
        [1, 2, 4, 6],
        [1, 2, 3],
      ],
      nodesFor([1, 2, 3, 4, 5, 6]),
      { leaving: [6], incarnations: [[1, 77]] },
    );
    expect(membershipToConfState(membership)).toEqual(joint);
  });

  test("voters of both sets that differ in nobody are joint all the same, and nobody is to be a learner", () => {
    const membership = createMembership([[1], [1]], nodesFor([1]));
    expect(membershipToConfState(membership)).toEqual(
      confState({ voters: [1], votersOutgoing: [1], autoLeave: true }),
    );
  });

  test("the empty membership gives an empty ConfState", () => {
    expect(membershipToConfState(EMPTY_MEMBERSHIP)).toEqual(confState({ voters: [] }));
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
