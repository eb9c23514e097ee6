import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasQuorum, majority, quorumValue } from "./quorum.js";

const someVoters = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 9 });

describe("a majority is more than half", () => {
  test("of one to seven voters", () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(majority)).toEqual([1, 2, 2, 3, 3, 4, 4]);
  });

  test("two majorities of the same voters always share one", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), (voters) => 2 * majority(voters) > voters));
  });
});

describe("the value that a majority has reached (section 5.3)", () => {
  test("is the middle one of three, the third highest of five, the lower of two", () => {
    const reached = new Map([
      [1, 9],
      [2, 4],
      [3, 7],
      [4, 1],
      [5, 8],
    ]);
    const valueOf = (id: number): number => reached.get(id) ?? 0;
    expect(quorumValue([1, 2, 3], valueOf)).toBe(7);
    expect(quorumValue([1, 2, 3, 4, 5], valueOf)).toBe(7);
    expect(quorumValue([1, 2], valueOf)).toBe(4);
    expect(quorumValue([1, 2, 3, 4], valueOf)).toBe(4);
    expect(quorumValue([1], valueOf)).toBe(9);
  });

  test("is reached by a majority, and no higher value is", () => {
    const valued = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.nat(5), { minKeys: 1 });
    fc.assert(
      fc.property(valued, (values) => {
        const voters = Object.keys(values).map(Number);
        const valueOf = (id: number): number => values[String(id)] as number;
        const value = quorumValue(voters, valueOf);
        const reachedBy = (least: number): number => voters.filter((id) => valueOf(id) >= least).length;
        expect(reachedBy(value) * 2).toBeGreaterThan(voters.length);
        expect(reachedBy(value + 1) * 2).toBeLessThanOrEqual(voters.length);
      }),
    );
  });

  test("leaves the voters as they were", () => {
    const voters = [3, 1, 2];
    quorumValue(voters, (id) => id);
    expect(voters).toEqual([3, 1, 2]);
  });
});

describe("a quorum has granted", () => {
  test("once more than half have, and others do not count", () => {
    expect(hasQuorum([1, 2, 3], new Set([1]))).toBe(false);
    expect(hasQuorum([1, 2, 3], new Set([1, 3]))).toBe(true);
    expect(hasQuorum([1, 2, 3], new Set([1, 8, 9]))).toBe(false);
    expect(hasQuorum([1, 2, 3, 4], new Set([1, 2]))).toBe(false);
  });

  test("exactly when more than half of any voters have", () => {
    fc.assert(
      fc.property(someVoters, fc.uniqueArray(fc.integer({ min: 1, max: 20 })), (voters, granted) => {
        const count = voters.filter((id) => granted.includes(id)).length;
        expect(hasQuorum(voters, new Set(granted))).toBe(count * 2 > voters.length);
      }),
    );
  });
});
