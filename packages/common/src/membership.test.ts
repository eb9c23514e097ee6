import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
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
  leaveJoint,
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

  test("searches no list for each of its ids: who sends a membership of millions must not keep a node busy for hours", () => {
    const many = Array.from({ length: 4000 }, (_, i) => i + 1);
    const includes = vi.spyOn(Array.prototype, "includes");
    const incarnations = many.map((id) => [id, 7] as const);
    const membership = createMembership([many, [1]], nodesFor(many), {
      leaving: many.slice(1),
      incarnations,
    });
    const looked = includes.mock.contexts.reduce((sum: number, list) => sum + (list as unknown[]).length, 0);
    includes.mockRestore();
    expect(membership.incarnations.size).toBe(many.length);
    expect(membership.leaving.length).toBe(many.length - 1);
    expect(looked).toBeLessThan(10 * many.length);
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
    const joint = [[1, 2], [1]];
    const mixed = [1n, 2] as unknown as NodeId[];
    expect(() => createMembership(joint, nodesFor([1, 2]), { leaving: mixed })).toThrow(
      "membership.leaving is 1n",
    );
    const incarnations = [[1n, 5]] as unknown as [NodeId, number][];
    expect(() => createMembership([[1]], nodesFor([1]), { incarnations })).toThrow(
      "membership.incarnations is 1n",
    );
  });
});

describe("who leaves with a joint membership", () => {
  const fromFourToThree = [
    [2, 9, 10, 1],
    [1, 3],
  ];
  const members = nodesFor([1, 2, 3, 9, 10, 11]);

  test("is kept sorted by number, and once", () => {
    expect(createMembership(fromFourToThree, members, { leaving: [10, 9, 10] }).leaving).toEqual([9, 10]);
  });

  test("is nobody, unless it is said", () => {
    expect(createMembership(fromFourToThree, members).leaving).toEqual([]);
    expect(createMembership([[1]], members).leaving).toEqual([]);
  });

  test.each<[string, NodeId[][], NodeId[]]>([
    ["a voter of both sets", fromFourToThree, [1]],
    ["a voter of the incoming set", fromFourToThree, [3]],
    ["a learner", fromFourToThree, [11]],
    ["whoever is no member", fromFourToThree, [77]],
    ["one that may leave, together with one that may not", fromFourToThree, [9, 1]],
    ["a voter of the only set", [[1, 2]], [2]],
  ])("cannot be %s", (_, configs, leaving) => {
    const create = (): unknown => createMembership(configs, members, { leaving });
    expect(create).toThrow(InvalidValueError);
    expect(create).toThrow(/^membership\.leaving is .*, but it must be voters of the outgoing set alone$/);
  });

  test("does not change with what the caller handed in", () => {
    const leaving = [9];
    const membership = createMembership(fromFourToThree, members, { leaving });
    leaving.push(10);
    expect(membership.leaving).toEqual([9]);
  });
});

describe("the stores that voters vote from", () => {
  test("stand in ascending order of id, those of both sets and of nobody else", () => {
    const { incarnations } = createMembership(
      [
        [10, 2],
        [2, 3],
      ],
      nodesFor([2, 3, 4, 10]),
      {
        incarnations: [
          [10, 7],
          [4, 6],
          [3, 5],
          [77, 1],
        ],
      },
    );
    expect([...incarnations]).toEqual([
      [3, 5],
      [10, 7],
    ]);
  });

  test("are none, unless it is said", () => {
    expect(createMembership([[1]], nodesFor([1])).incarnations).toEqual(new Map());
  });

  test("of several for one voter the last stands", () => {
    const incarnations: [NodeId, number][] = [
      [1, 5],
      [1, 4],
    ];
    expect(createMembership([[1]], nodesFor([1]), { incarnations }).incarnations).toEqual(new Map([[1, 4]]));
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])(
    "have incarnations from 1 on: %d is refused",
    (incarnation) => {
      const create = (): unknown =>
        createMembership([[1]], nodesFor([1]), { incarnations: [[1, incarnation]] });
      expect(create).toThrow(InvalidValueError);
      expect(create).toThrow(/^membership\.incarnations is .* an integer from 1 to/);
    },
  );

  test("do not change with what the caller handed in", () => {
    const incarnations = new Map([[1, 5]]);
    const membership = createMembership([[1]], nodesFor([1]), { incarnations });
    incarnations.set(1, 6);
    expect(membership.incarnations.get(1)).toBe(5);
  });
});

describe("leaving a joint membership", () => {
  test("leaves the incoming voters, the learners, and the outgoing voters that were not leaving, as learners", () => {
    const joint = createMembership(
      [
        [1, 2, 4, 6],
        [1, 2, 3],
      ],
      nodesFor([1, 2, 3, 4, 5, 6]),
      {
        leaving: [6],
        incarnations: [
          [1, 11],
          [3, 33],
          [4, 44],
          [6, 66],
        ],
      },
    );
    const after = leaveJoint(joint);
    expect(after).toEqual(
      createMembership([[1, 2, 3]], nodesFor([1, 2, 3, 4, 5]), {
        incarnations: [
          [1, 11],
          [3, 33],
        ],
      }),
    );
    expect(learnerIds(after)).toEqual([4, 5]);
  });

  test("keeps everybody but who leaves, and their nodes, and makes nobody vote who was not to", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        const after = leaveJoint(membership);
        expect(isJoint(after)).toBe(false);
        expect(after.configs).toEqual([membership.configs.at(-1)]);
        expect(after.leaving).toEqual([]);
        const gone = [...membership.nodes.keys()].filter((id) => !after.nodes.has(id));
        expect(gone).toEqual(membership.leaving);
        for (const [id, node] of after.nodes) expect(node).toBe(membership.nodes.get(id));
        for (const id of voterIds(membership)) {
          expect(after.incarnations.get(id)).toBe(
            isVoter(after, id) ? membership.incarnations.get(id) : undefined,
          );
        }
      }),
    );
  });

  test("twice is once, and a membership that is not joint is followed by itself", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        const after = leaveJoint(membership);
        expect(leaveJoint(after)).toEqual(after);
        if (!isJoint(membership)) expect(after).toEqual(membership);
      }),
    );
  });

  test("changes nothing of the joint membership", () => {
    const joint = createMembership([[1, 2], [1]], nodesFor([1, 2]), {
      leaving: [2],
      incarnations: [[2, 22]],
    });
    const before = structuredClone(joint);
    leaveJoint(joint);
    expect(joint).toEqual(before);
  });

  test("is refused where nobody votes", () => {
    expect(() => leaveJoint(EMPTY_MEMBERSHIP)).toThrow(
      "membership.configs is [], but it must be one set of voters",
    );
  });
});

describe("any membership", () => {
  test("made again from what it says is the same", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        expect(createMembership(membership.configs, membership.nodes, membership)).toEqual(membership);
      }),
    );
  });

  test("says of voters only from which store they vote, and of outgoing ones only that they leave", () => {
    fc.assert(
      fc.property(anyMembership, (membership) => {
        for (const id of membership.incarnations.keys()) expect(isVoter(membership, id)).toBe(true);
        expect(isAscending([...membership.incarnations.keys()])).toBe(true);
        expect(isAscending(membership.leaving)).toBe(true);
        if (!isJoint(membership)) expect(membership.leaving).toEqual([]);
        for (const id of membership.leaving) {
          expect(membership.configs.map((config) => config.includes(id))).toEqual([true, false]);
        }
      }),
    );
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
    expect(EMPTY_MEMBERSHIP.leaving).toEqual([]);
    expect(EMPTY_MEMBERSHIP.incarnations.size).toBe(0);
  });

  test("was brought by no entry", () => {
    expect(EMPTY_STORED_MEMBERSHIP).toEqual({ logId: ZERO_LOG_ID, membership: EMPTY_MEMBERSHIP });
  });
});
