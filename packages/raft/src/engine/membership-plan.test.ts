import type { Membership, NodeId } from "@seshat/common";
import { createMembership, isJoint, leaveJoint } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memberships } from "../../test/engine-harness.js";
import type { Refusal } from "./command.js";
import type { MembershipChange } from "./event.js";
import type { Target } from "./membership-plan.js";
import { firstStep, newVoters, planChange } from "./membership-plan.js";

/** Voters 1 to 3, learners 4 and 5. */
const CURRENT = memberships([[1, 2, 3]], 5);

const AT = (id: NodeId, addr = `new-${id}`): readonly [NodeId, unknown] => [id, { addr }];

function plan(change: MembershipChange<unknown>, retain = false): { voters: NodeId[]; nodes: NodeId[] } {
  const target = planned(change, retain);
  return { voters: sorted(target.voters), nodes: sorted(target.nodes.keys()) };
}

function planned(change: MembershipChange<unknown>, retain = false): Target {
  const target = planChange(CURRENT, change, retain);
  if ("code" in target) throw new Error(target.code);
  return target;
}

function refused(change: MembershipChange<unknown>): Refusal {
  const target = planChange(CURRENT, change, false);
  if (!("code" in target)) throw new Error("not refused");
  return target;
}

function sorted(ids: Iterable<NodeId>): NodeId[] {
  return [...ids].sort((a, b) => a - b);
}

describe("a change of the voters", () => {
  test("replaces them: who votes no more is gone, and learners stay", () => {
    expect(plan({ type: "replaceVoters", ids: [3, 4] })).toEqual({ voters: [3, 4], nodes: [3, 4, 5] });
  });

  test("keeps who votes no more as a learner where that is wanted", () => {
    expect(plan({ type: "replaceVoters", ids: [3, 4] }, true)).toEqual({
      voters: [3, 4],
      nodes: [1, 2, 3, 4, 5],
    });
    expect(plan({ type: "removeVoters", ids: [1] }, true).nodes).toEqual([1, 2, 3, 4, 5]);
  });

  test("adds some, and those that vote already stay", () => {
    expect(plan({ type: "addVoters", ids: [3, 4] })).toEqual({
      voters: [1, 2, 3, 4],
      nodes: [1, 2, 3, 4, 5],
    });
  });

  test("removes some, and those that do not vote are not touched", () => {
    expect(plan({ type: "removeVoters", ids: [2, 5, 9] })).toEqual({ voters: [1, 3], nodes: [1, 3, 4, 5] });
  });

  test("names only members: a voter has to be found, and to have the log, before it counts", () => {
    expect(refused({ type: "addVoters", ids: [9] })).toEqual({ code: "learnerNotFound", nodeId: 9 });
    expect(refused({ type: "replaceVoters", ids: [1, 9] })).toEqual({ code: "learnerNotFound", nodeId: 9 });
  });

  test("leaves at least one", () => {
    for (const change of [
      { type: "replaceVoters", ids: [] },
      { type: "removeVoters", ids: [1, 2, 3] },
    ] as const) {
      expect(refused(change)).toEqual({ code: "invalidChange", problem: "no voter would be left" });
    }
  });
});

describe("a change of the nodes", () => {
  test("adds learners, and leaves members what and where they are", () => {
    const target = planned({ type: "addNodes", nodes: [AT(3), AT(6)] });
    expect(sorted(target.voters)).toEqual([1, 2, 3]);
    expect(target.nodes.get(3)).toEqual({ addr: "10.0.0.3:7000" });
    expect(target.nodes.get(6)).toEqual({ addr: "new-6" });
  });

  test("says where members are found now, and adds others", () => {
    const target = planned({ type: "setNodes", nodes: [AT(3), AT(6)] });
    expect(target.nodes.get(3)).toEqual({ addr: "new-3" });
    expect(target.nodes.get(6)).toEqual({ addr: "new-6" });
    expect(target.nodes.get(4)).toEqual({ addr: "10.0.0.4:7000" });
  });

  test("removes learners, and not voters: those leave the voters first", () => {
    expect(plan({ type: "removeNodes", ids: [4, 9] }).nodes).toEqual([1, 2, 3, 5]);
    expect(refused({ type: "removeNodes", ids: [4, 2] })).toEqual({
      code: "invalidChange",
      problem: "node 2 votes: remove it from the voters first",
    });
  });

  test("replaces all of them: voters among them go on voting, and none may be missing", () => {
    const nodes = [1, 2, 3, 5, 6].map((id) => AT(id));
    const target = planned({ type: "replaceNodes", nodes });
    expect(sorted(target.voters)).toEqual([1, 2, 3]);
    expect([...target.nodes]).toEqual(nodes);
    expect(refused({ type: "replaceNodes", nodes: [AT(1), AT(2)] }).code).toBe("invalidChange");
  });
});

describe("a batch", () => {
  test("is one change after another", () => {
    const change: MembershipChange<unknown> = {
      type: "batch",
      changes: [
        { type: "addNodes", nodes: [AT(6)] },
        { type: "addVoters", ids: [6] },
        { type: "removeVoters", ids: [1] },
        { type: "addNodes", nodes: [AT(1)] },
      ],
    };
    expect(plan(change)).toEqual({ voters: [2, 3, 6], nodes: [1, 2, 3, 4, 5, 6] });
  });

  test("may pass through what could not stand, and not end there", () => {
    const emptied: MembershipChange<unknown> = { type: "replaceVoters", ids: [] };
    expect(refused({ type: "batch", changes: [emptied] }).code).toBe("invalidChange");
    const refilled: MembershipChange<unknown> = {
      type: "batch",
      changes: [emptied, { type: "addVoters", ids: [4] }],
    };
    expect(plan(refilled)).toEqual({ voters: [4], nodes: [4, 5] });
  });

  test("with a part that cannot be is refused, whatever comes after it", () => {
    const change: MembershipChange<unknown> = {
      type: "batch",
      changes: [
        { type: "removeNodes", ids: [2] },
        { type: "removeVoters", ids: [2] },
      ],
    };
    expect(refused(change)).toMatchObject({ code: "invalidChange" });
  });

  test("of nothing is what there was", () => {
    expect(plan({ type: "batch", changes: [] })).toEqual({ voters: [1, 2, 3], nodes: [1, 2, 3, 4, 5] });
  });
});

test("the membership that is changed is not", () => {
  const before = structuredClone(CURRENT);
  planChange(CURRENT, { type: "replaceVoters", ids: [4] }, false);
  planChange(CURRENT, { type: "setNodes", nodes: [AT(1)] }, false);
  expect(CURRENT).toEqual(before);
});

describe("the first step", () => {
  const known = new Map([
    [1, 11],
    [3, 33],
    [4, 44],
  ]);

  test("is the target itself where the voters stay the same", () => {
    const target = planned({ type: "addNodes", nodes: [AT(6)] });
    const step = firstStep(CURRENT, target, known);
    expect(step.configs).toEqual([[1, 2, 3]]);
    expect(sorted(step.nodes.keys())).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...step.incarnations]).toEqual([
      [1, 11],
      [3, 33],
    ]);
  });

  test("is joint wherever they do not, be it one more or one less", () => {
    for (const ids of [
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 4],
    ]) {
      const target = planned({ type: "replaceVoters", ids });
      expect(firstStep(CURRENT, target, known).configs).toEqual([[1, 2, 3], ids]);
    }
  });

  test("keeps those that leave as members until it is left, where they were", () => {
    const target = planned({ type: "replaceVoters", ids: [3, 4] });
    const step = firstStep(CURRENT, target, known);
    expect(step.leaving).toEqual([1, 2]);
    expect(step.nodes.get(1)).toEqual({ addr: "10.0.0.1:7000" });
    expect([...step.incarnations]).toEqual([...known]);
    expect(sorted(leaveJoint(step).nodes.keys())).toEqual([3, 4, 5]);
  });

  test("lets nobody leave who stays as a learner", () => {
    const target = planned({ type: "replaceVoters", ids: [3, 4] }, true);
    const step = firstStep(CURRENT, target, known);
    expect(step.leaving).toEqual([]);
    expect(sorted(leaveJoint(step).nodes.keys())).toEqual([1, 2, 3, 4, 5]);
  });

  test("whatever the change: leaving it gives the target, and from either side of it majorities meet", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 });
    const nodes = ids.map((each) => each.map((id) => AT(id)));
    const simple: fc.Arbitrary<MembershipChange<unknown>> = fc.oneof(
      ids.map((each): MembershipChange<unknown> => ({ type: "replaceVoters", ids: each })),
      ids.map((each): MembershipChange<unknown> => ({ type: "addVoters", ids: each })),
      ids.map((each): MembershipChange<unknown> => ({ type: "removeVoters", ids: each })),
      ids.map((each): MembershipChange<unknown> => ({ type: "removeNodes", ids: each })),
      nodes.map((each): MembershipChange<unknown> => ({ type: "addNodes", nodes: each })),
      nodes.map((each): MembershipChange<unknown> => ({ type: "setNodes", nodes: each })),
      nodes.map((each): MembershipChange<unknown> => ({ type: "replaceNodes", nodes: each })),
    );
    const change = fc.oneof(
      simple,
      fc
        .array(simple, { maxLength: 3 })
        .map((changes): MembershipChange<unknown> => ({ type: "batch", changes })),
    );
    const current = fc
      .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), ids)
      .map(([voters, others]): Membership<unknown> =>
        createMembership(
          [voters],
          [...voters, ...others].map((id) => AT(id, "old")),
        ),
      );
    fc.assert(
      fc.property(current, change, fc.boolean(), (membership, asked, retain) => {
        const target = planChange(membership, asked, retain);
        if ("code" in target) return;
        const step = firstStep(membership, target, new Map());
        const last = isJoint(step) ? leaveJoint(step) : step;
        expect(last.configs).toEqual([sorted(target.voters)]);
        expect(new Map(last.nodes)).toEqual(new Map([...target.nodes].sort(([a], [b]) => a - b)));
        expect(step.configs[0]).toEqual(membership.configs[0]);
        expect(isJoint(step)).toBe(membership.configs[0]?.join() !== last.configs[0]?.join());
        for (const id of last.configs[0] ?? []) expect(step.configs.at(-1)).toContain(id);
      }),
      { numRuns: 300 },
    );
  });
});

test("new voters are those that did not vote before, learners or not", () => {
  expect(newVoters(CURRENT, planned({ type: "replaceVoters", ids: [2, 3, 4, 5] }))).toEqual([4, 5]);
  expect(newVoters(CURRENT, planned({ type: "removeVoters", ids: [2] }))).toEqual([]);
});
