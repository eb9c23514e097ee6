import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { ACT_TYPES } from "./act.js";
import type { Plan } from "./plan.js";
import { makePlan } from "./plan.js";

const PLANS: readonly Plan[] = Array.from({ length: 400 }, (_, i) => makePlan(i));

describe("a plan", () => {
  test("is the same for the same seed, is plain data, and differs from the next one", () => {
    expect(makePlan(4711)).toStrictEqual(makePlan(4711));
    expect(JSON.parse(JSON.stringify(makePlan(4711)))).toStrictEqual(makePlan(4711));
    expect(makePlan(4712).actions).not.toStrictEqual(makePlan(4711).actions);
  });

  test("has its actions in order of time, all of them while faults go on", () => {
    for (const { actions, faultyMs } of PLANS) {
      const times = actions.map(({ at }) => at);
      expect(times).toStrictEqual([...times].sort((a, b) => a - b));
      expect(times.at(-1) ?? 0).toBeLessThan(faultyMs);
    }
  });

  test("has some kinds of trouble and not others: every kind is in some plans, and none in all", () => {
    for (const type of ACT_TYPES) {
      const { length } = PLANS.filter(({ actions }) => actions.some(({ act }) => act.type === type));
      expect(length, type).toBeGreaterThan(PLANS.length / 50);
      expect(length, type).toBeLessThan((PLANS.length * 3) / 4);
    }
  });

  test("has few kinds of trouble for some seeds, and many for others", () => {
    const kinds = PLANS.map(({ actions }) => new Set(actions.map(({ act }) => act.type)).size);
    expect(Math.min(...kinds)).toBeLessThan(5);
    expect(Math.max(...kinds)).toBeGreaterThan(20);
  });

  test("is about clusters of one to seven, or of the size that is asked for, whatever else the seed decides", () => {
    expect(new Set(PLANS.map(({ voters }) => voters.length))).toStrictEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    const [drawn, asked] = [makePlan(9), makePlan(9, { size: 7 })];
    expect(asked.voters).toStrictEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(asked.actions).toStrictEqual(drawn.actions);
    expect(asked.clockRates).toHaveLength(10);
  });

  test.each([0, 8, 1.5, Number.NaN])("is for no cluster of %d", (size) => {
    expect(() => makePlan(1, { size })).toThrow(InvalidValueError);
    expect(() => makePlan(1, { size })).toThrow(/^options\.size is /);
  });

  test("leaves clocks alone where leases are on, but for the drift that they are made for", () => {
    const leased = PLANS.filter(({ leases }) => leases);
    expect(leased.length).toBeGreaterThan(50);
    for (const { actions, clockRates } of leased) {
      expect(actions.some(({ act }) => act.type === "jump")).toBe(false);
      expect(Math.max(...clockRates) - Math.min(...clockRates)).toBeLessThanOrEqual(0.02);
    }
  });

  test("lets a partition stand for a least time and leaves a least time between two, for some seeds", () => {
    const gaps = PLANS.flatMap(({ actions }) => {
      const cuts = actions.filter(({ act }) => act.type === "partition" || act.type === "heal");
      const alternates =
        cuts.length > 3 && cuts.every(({ act }, i) => (act.type === "partition") === (i % 2 === 0));
      return alternates ? [Math.min(...cuts.slice(1).map(({ at }, i) => at - (cuts[i]?.at ?? 0)))] : [];
    });
    expect(gaps.length).toBeGreaterThan(10);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(20);
  });

  test("has large values for some seeds only", () => {
    const large = PLANS.filter(({ largeBytes = 0 }) => largeBytes >= 500).length;
    expect(large).toBeGreaterThan(20);
    expect(large).toBeLessThan(PLANS.length / 2);
  });
});
