import { describe, expect, test } from "vitest";
import { StageClock } from "./stage-latency.js";

function counts(clock: StageClock): number[] {
  const { appended, committed, applied } = clock.read();
  return [appended.count, committed.count, applied.count];
}

describe("the latency of writes", () => {
  test("is counted from the proposal to each stage by itself, a batch once", () => {
    const clock = new StageClock();
    clock.now = 100;
    clock.proposed(5);
    clock.now = 110;
    clock.proposed(9);
    clock.now = 130;
    clock.reached("committed", 4);
    expect(counts(clock)).toEqual([0, 0, 0]);
    clock.reached("committed", 5);
    clock.now = 150;
    clock.reached("appended", 20);
    clock.now = 175;
    clock.reached("applied", 9);
    clock.reached("applied", 9);
    expect(counts(clock)).toEqual([2, 1, 2]);
    const { appended, committed, applied } = clock.read();
    expect([appended.maxMs, committed.maxMs, applied.maxMs]).toEqual([50, 30, 75]);
    expect(appended.p50Ms).toBeGreaterThanOrEqual(40);
    expect(appended.p50Ms).toBeLessThan(41);
    expect(appended.p99Ms).toBe(50);
  });

  test("of what nobody follows up on is not counted, and later writes are", () => {
    const clock = new StageClock();
    clock.proposed(5);
    clock.reached("appended", 5);
    clock.abandoned();
    clock.reached("applied", 5);
    expect(counts(clock)).toEqual([1, 0, 0]);
    clock.proposed(4);
    clock.reached("applied", 4);
    expect(counts(clock)).toEqual([1, 0, 1]);
  });

  test("never falls below 0, and costs a bounded amount of memory however many wait", () => {
    const clock = new StageClock();
    clock.now = 10;
    for (let upto = 1; upto <= 10_000; upto++) clock.proposed(upto);
    clock.now = 5;
    clock.reached("applied", 10_000);
    clock.reached("committed", 10_000);
    expect(counts(clock)).toEqual([0, 4096, 4096]);
    expect(clock.read().applied.maxMs).toBe(0);
    // One stage still has all of them before it, so there is no room.
    clock.proposed(10_001);
    clock.reached("applied", 10_001);
    expect(counts(clock)).toEqual([0, 4096, 4096]);
    clock.reached("appended", 10_000);
    for (let upto = 10_001; upto <= 20_000; upto++) {
      clock.proposed(upto);
      for (const stage of ["appended", "committed", "applied"] as const) clock.reached(stage, upto);
    }
    expect(counts(clock)).toEqual([14_096, 14_096, 14_096]);
  });
});
