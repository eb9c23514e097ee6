import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quorumAckedAt } from "./lease.js";

/** When each node answered; those left out never did. */
function at(times: Readonly<Record<number, number>>): (id: number) => number {
  return (id) => times[id] ?? Number.NEGATIVE_INFINITY;
}

describe("when a quorum last answered (thesis section 6.4.1)", () => {
  test("is when the slowest of the fastest majority was asked, the leader being one of it", () => {
    expect(quorumAckedAt([[1, 2, 3]], 1, at({ 2: 50, 3: 70 }))).toBe(70);
    expect(quorumAckedAt([[1, 2, 3, 4, 5]], 1, at({ 2: 50, 3: 70, 4: 90, 5: 10 }))).toBe(70);
  });

  test("is never, while too few have answered", () => {
    expect(quorumAckedAt([[1, 2, 3, 4, 5]], 1, at({ 2: 50 }))).toBe(Number.NEGATIVE_INFINITY);
    expect(quorumAckedAt([], 1, at({ 2: 50 }))).toBe(Number.NEGATIVE_INFINITY);
  });

  test("does not end for a leader that is a quorum by itself", () => {
    expect(quorumAckedAt([[1]], 1, at({}))).toBe(Number.POSITIVE_INFINITY);
  });

  test("while joint is when a majority of both sets had been asked (section 6)", () => {
    const joint = [
      [1, 2, 3],
      [1, 4, 5],
    ];
    expect(quorumAckedAt(joint, 1, at({ 2: 90, 3: 80 }))).toBe(Number.NEGATIVE_INFINITY);
    expect(quorumAckedAt(joint, 1, at({ 2: 90, 3: 80, 4: 30, 5: 40 }))).toBe(40);
  });

  test("does not go by learners, nor by a leader that is no voter any more", () => {
    expect(quorumAckedAt([[1, 2, 3]], 1, at({ 2: 10, 4: 90, 5: 90 }))).toBe(10);
    expect(quorumAckedAt([[2, 3, 4]], 1, at({ 2: 10, 3: 20 }))).toBe(10);
  });

  test("is the latest time at which a majority had been asked, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { minLength: 1, maxLength: 6 }), (times) => {
        const voters = [1, ...times.map((_, i) => i + 2)];
        const result = quorumAckedAt([voters], 1, (id) => times[id - 2] as number);
        const askedSince = (time: number): number => 1 + times.filter((each) => each >= time).length;
        expect(askedSince(result) * 2).toBeGreaterThan(voters.length);
        expect(askedSince(result + 1) * 2).toBeLessThanOrEqual(voters.length);
      }),
    );
  });
});
