import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyMembership, nodesFor } from "../test/arbitraries.js";
import { InvalidValueError } from "./errors.js";
import { ZERO_LOG_ID } from "./log-id.js";
import type { NodeId } from "./node.js";
import {
  EMPTY_MEMBERSHIP,
  EMPTY_STORED_MEMBERSHIP,
  createMembership,
  isJoint,
  isVoter,
  learnerIds,
  voterIds,
} from "./membership.js";

const ids = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });

function isAscending(list: readonly number[]): boolean {
  return list.every((id, at) => at === 0 || (list[at - 1] as number) < id);
}

describe("createMembership", () => {
  test("sorts voters and nodes by number, not by text", () => {
    const membership = createMembership([[10, 9, 2]], nodesFor([10, 9, 2]));
    expect(membership.configs).toEqual([[2, 9, 10]]);
    expect([...membership.nodes.keys()]).toEqual([2, 9, 10]);
  });

  test("counts a repeated voter once", () => {
    expect(createMembership([[1, 2, 1]], nodesFor([1, 2])).configs).toEqual([[1, 2]]);
  });

  test("takes the last of several nodes for one id", () => {
    const membership = createMembership(
      [[1]],
      [
        [1, { addr: "old:1" }],
        [1, { addr: "new:1" }],
      ],
    );
    expect(membership.nodes).toEqual(new Map([[1, { addr: "new:1" }]]));
  });

  test("gives equal structures for equal members, in whatever order they come", () => {
    fc.assert(
      fc.property(ids, ids, fc.infiniteStream(fc.integer()), (voters, others, keys) => {
        const shuffled = (list: readonly NodeId[]): NodeId[] =>
          list
            .map((id) => ({ id, key: keys.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ id }) => id);
        const members = [...voters, ...others];
        const one = createMembership([voters], nodesFor(members));
        const two = createMembership([shuffled(voters)], nodesFor(shuffled(members)));
        expect(two).toEqual(one);
        expect([...two.nodes.keys()]).toEqual([...one.nodes.keys()]);
      }),
    );
  });

  test("keeps the two configs of a joint membership in the order given: outgoing, then incoming", () => {
    expect(createMembership([[3, 4], [1]], nodesFor([1, 3, 4])).configs).toEqual([[3, 4], [1]]);
  });

  test("does not keep what the caller handed in", () => {
    const voters = [1];
    const nodes = new Map(nodesFor([1]));
    const membership = createMembership([voters], nodes);
    voters.push(2);
    nodes.delete(1);
    expect(membership).toEqual(createMembership([[1]], nodesFor([1])));
  });

  test.each<[string, NodeId[][], NodeId[], string]>([
    ["no config", [], [1], "membership.configs is [], but it must be one set of voters, or two while joint"],
    ["three configs", [[1], [1], [1]], [1], "membership.configs is [[1],[1],[1]], but it must be one set"],
    [
      "a config without voters",
      [[1], []],
      [1],
      "membership.configs is [[1],[]], but it must be sets of at least one voter",
    ],
    ["a voter without a node", [[1, 2]], [1], "membership.nodes is [1], but it must be a node for voter 2"],
    ["voter 0", [[0]], [0, 1], "membership.nodes is 0, but it must be an integer from 1"],
    ["voter 1.5", [[1.5]], [1], "membership.configs is 1.5, but it must be an integer from 1"],
    [
      "a learner with a negative id",
      [[1]],
      [1, -4],
      "membership.nodes is -4, but it must be an integer from 1",
    ],
  ])("refuses %s", (_, configs, nodes, message) => {
    expect(() => createMembership(configs, nodesFor(nodes))).toThrow(InvalidValueError);
    expect(() => createMembership(configs, nodesFor(nodes))).toThrow(message);
  });

  test("refuses ids that are no numbers with its own error, not with a failed comparison", () => {
    const two = [1n, 2n] as unknown as NodeId[];
    expect(() => createMembership([two], nodesFor([1, 2]))).toThrow("membership.configs is 1n");
    expect(() => createMembership([[1]], nodesFor(two))).toThrow("membership.nodes is 1n");
  });
});

describe("voters and learners", () => {
  test("every member is either a voter or a learner, and there is no other", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        const voters = voterIds(membership);
        const learners = learnerIds(membership);
        expect([...voters, ...learners].sort((a, b) => a - b)).toEqual([...membership.nodes.keys()]);
        expect(voters.every((id) => isVoter(membership, id))).toBe(true);
        expect(learners.some((id) => isVoter(membership, id))).toBe(false);
      }),
    );
  });

  test("both lists ascend without repeating anyone", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        expect(isAscending(voterIds(membership))).toBe(true);
        expect(isAscending(learnerIds(membership))).toBe(true);
      }),
    );
  });

  test("whoever is no member does not vote", () => {
    expect(isVoter(createMembership([[1]], nodesFor([1])), 2)).toBe(false);
  });

  test("while joint, the voters of either set vote (section 6)", () => {
    const joint = createMembership(
      [
        [1, 2, 3],
        [3, 4],
      ],
      nodesFor([1, 2, 3, 4, 5]),
    );
    expect(isJoint(joint)).toBe(true);
    expect(voterIds(joint)).toEqual([1, 2, 3, 4]);
    expect(learnerIds(joint)).toEqual([5]);
    expect(isVoter(joint, 1) && isVoter(joint, 4)).toBe(true);
  });

  test("with one set of voters a membership is not joint", () => {
    expect(isJoint(createMembership([[1, 2]], nodesFor([1, 2])))).toBe(false);
  });
});

describe("the membership of a new node", () => {
  test("has no voters, no learners, and is not joint", () => {
    expect(voterIds(EMPTY_MEMBERSHIP)).toEqual([]);
    expect(learnerIds(EMPTY_MEMBERSHIP)).toEqual([]);
    expect(isJoint(EMPTY_MEMBERSHIP)).toBe(false);
  });

  test("was brought by no entry", () => {
    expect(EMPTY_STORED_MEMBERSHIP).toEqual({ logId: ZERO_LOG_ID, membership: EMPTY_MEMBERSHIP });
  });
});
