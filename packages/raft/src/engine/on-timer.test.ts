import { describe, expect, test } from "vitest";
import { TestEngine, elected, memberships, only, voters } from "../../test/engine-harness.js";

describe("the timer", () => {
  test("starts an election at the deadline, not before it", () => {
    const node = new TestEngine();
    expect(node.engine.nextDeadline()).toBe(1225);
    expect(node.pass(224)).toEqual([]);
    expect(node.role).toBe("follower");
    node.pass(1);
    expect(node.role).toBe("preCandidate");
  });

  test("starts the next one after an election without a winner", () => {
    const node = new TestEngine();
    node.pass(225);
    const next = node.engine.nextDeadline();
    expect(next).toBe(1450);
    expect(node.pass(100)).toEqual([]);
    expect(only(node.pass(125), "sendPreVote")).toHaveLength(2);
  });

  test("lets a leader send heartbeats", () => {
    const node = elected();
    expect(node.pass(49)).toEqual([]);
    expect(only(node.pass(1), "sendAppendEntries").map(({ to }) => to)).toEqual([2, 3]);
  });

  test("means nothing to a learner, which has no deadline", () => {
    const node = new TestEngine({ membership: memberships([[2, 3]], 3) });
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(node.pass(10_000)).toEqual([]);
    expect(node.role).toBe("learner");
  });

  test("has nothing to do on a leader without followers", () => {
    const node = elected({ membership: voters(1) });
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(node.pass(10_000)).toEqual([]);
  });

  test("ends a leadership that no quorum confirms, without one more heartbeat, which would only put the next election off", () => {
    const node = elected();
    expect(only(node.pass(240), "sendAppendEntries")).toHaveLength(2);
    const out = node.pass(60);
    expect(node.role).toBe("follower");
    expect(only(out, "sendAppendEntries")).toEqual([]);
  });
});
