import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasJointQuorum, jointQuorumValue } from "./joint-config.js";
import { hasQuorum, quorumValue } from "./quorum.js";

const someVoters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe("while joint, every decision needs a majority of each set (section 6)", () => {
  const joint = [
    [1, 2, 3],
    [3, 4, 5],
  ];

  test("a majority of the old set alone decides nothing", () => {
    expect(hasJointQuorum(joint, new Set([1, 2, 3]))).toBe(false);
    expect(jointQuorumValue(joint, (id) => (id <= 3 ? 9 : 0))).toBe(0);
  });

  test("a majority of the new set alone decides nothing", () => {
    expect(hasJointQuorum(joint, new Set([3, 4, 5]))).toBe(false);
    expect(jointQuorumValue(joint, (id) => (id >= 3 ? 9 : 0))).toBe(0);
  });

  test("a majority of all voters together is not enough", () => {
    const uneven = [[1], [2, 3, 4]];
    expect(hasJointQuorum(uneven, new Set([2, 3, 4]))).toBe(false);
  });

  test("one voter may count in both sets", () => {
    expect(hasJointQuorum(joint, new Set([1, 3, 5]))).toBe(true);
    expect(jointQuorumValue(joint, (id) => [0, 7, 0, 9, 0, 5][id] as number)).toBe(5);
  });

  test("a joint decision is a decision of both sets, whatever they are", () => {
    fc.assert(
      fc.property(someVoters, someVoters, someVoters, (before, after, granted) => {
        const yes = new Set(granted);
        expect(hasJointQuorum([before, after], yes)).toBe(hasQuorum(before, yes) && hasQuorum(after, yes));
        const valueOf = (id: number): number => (yes.has(id) ? id : 0);
        const value = jointQuorumValue([before, after], valueOf);
        expect(value).toBe(Math.min(quorumValue(before, valueOf), quorumValue(after, valueOf)));
      }),
    );
  });
});

test("with one set it is an ordinary majority", () => {
  expect(hasJointQuorum([[1, 2, 3]], new Set([1, 2]))).toBe(true);
  expect(jointQuorumValue([[1, 2, 3]], (id) => id)).toBe(2);
});

test("where nobody votes, nothing is ever decided", () => {
  expect(hasJointQuorum([], new Set([1, 2, 3]))).toBe(false);
  expect(jointQuorumValue([], () => 9)).toBe(Number.NEGATIVE_INFINITY);
});
