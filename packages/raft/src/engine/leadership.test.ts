import { describe, expect, test } from "vitest";
import { TEST_CONFIG, elect, elected, memberships, sentTo, the, voters } from "../../test/engine-harness.js";
import type { TestEngine } from "../../test/engine-harness.js";
import type { EngineConfig } from "./context.js";
import { holdsLease } from "./leadership.js";

const LEASES = { leaseMs: 140 } satisfies Partial<EngineConfig>;

function holds(node: TestEngine, leaseMs: number | null = 140): boolean {
  const config = { ...TEST_CONFIG, leaseMs };
  return holdsLease(
    { config, state: node.state, now: node.now, random: () => 0, out: [], deadlineMoved: false },
    node.leader,
  );
}

describe("a leader that no quorum answers (check-quorum, thesis section 6.2)", () => {
  test("steps down after one longest election timeout, and not before", () => {
    const node = elected();
    node.pass(299);
    expect(node.role).toBe("leader");
    node.pass(1);
    expect(node.state.role).toEqual({ type: "follower", leaderId: null });
  });

  test("is due then, though it has nothing to send", () => {
    const node = elected({ config: { heartbeatIntervalMs: 1000 } });
    expect(node.engine.nextDeadline()).toBe(node.now + 300);
  });

  test("has that time from its election on, when nobody has answered yet", () => {
    const { node } = elect();
    const since = node.now;
    expect(node.leader.since).toBe(since);
    node.pass(299);
    expect(node.role).toBe("leader");
    node.pass(1);
    expect(node.role).toBe("follower");
  });

  test("goes on while a quorum answers, without the others", () => {
    const node = elected();
    for (let i = 0; i < 20; i++) node.accept(sentTo(node.pass(50), 2));
    expect(node.role).toBe("leader");
    expect(node.progress(3).ackedSentAt).toBe(1000);
  });

  test("goes by when it asked, not by when the answer came", () => {
    const node = elected();
    const beat = sentTo(node.pass(50), 2);
    node.pass(200);
    node.accept(beat);
    node.pass(99);
    expect(node.role).toBe("leader");
    node.pass(1);
    expect(node.role).toBe("follower");
  });

  test("is not kept by answers of learners, of a minority, or of one set of two", () => {
    for (const [membership, next, answering] of [
      [memberships([[1, 2, 3]], 5), null, [4, 5]],
      [voters(1, 2, 3, 4, 5), null, [2]],
      [memberships([[1, 2, 3]], 5), [1, 4, 5], [2, 3]],
      [memberships([[1, 2, 3]], 5), [1, 4, 5], [4, 5]],
    ] as const) {
      const node = elected({ membership });
      if (next !== null) node.change(1, { type: "replaceVoters", ids: next });
      for (let waited = 0; waited < 300; waited += 50) {
        const beats = node.pass(50);
        if (node.role === "leader") for (const peer of answering) node.accept(sentTo(beats, peer));
      }
      expect(node.role).toBe("follower");
    }
  });

  test("does not step down where it is a quorum by itself, learners or none", () => {
    const node = elected({ membership: memberships([[1]], 2) });
    for (let i = 0; i < 50; i++) node.pass(50);
    expect(node.role).toBe("leader");
  });
});

describe("who was made a voter a moment ago", () => {
  test("has a whole election timeout to answer before its silence counts: a dead one costs the leadership only then", () => {
    const node = elected({ membership: memberships([[1]], 2) });
    node.now += 10_000;
    node.change(7, { type: "addVoters", ids: [2] }, { allowLagging: true });
    node.pass(299);
    expect(node.role).toBe("leader");
    node.pass(1);
    expect(node.role).toBe("follower");
  });

  test("one of three among them is no reason to step down", () => {
    const node = elected({ membership: memberships([[1, 2]], 3) });
    node.change(7, { type: "addVoters", ids: [3] }, { allowLagging: true });
    for (let i = 0; i < 20; i++) node.accept(sentTo(node.pass(50), 2));
    expect(node.role).toBe("leader");
  });

  test("gives no lease by that: only its answers do", () => {
    const node = elected({ membership: memberships([[1]], 2), config: LEASES });
    node.now += 10_000;
    expect(holds(node)).toBe(true);
    const out = node.change(7, { type: "addVoters", ids: [2] }, { allowLagging: true });
    expect(holds(node)).toBe(false);
    node.accept(sentTo(out, 2));
    expect(holds(node)).toBe(true);
  });
});

describe("a lease (thesis section 6.4.1)", () => {
  test("is not held by who hands over, nor in that term after it asked somebody to", () => {
    const node = elected({ config: LEASES });
    node.write("a");
    node.transferLeader(7, 3, 10);
    expect(node.leader.leaseForfeited).toBe(false);
    expect(holds(node)).toBe(false);
    node.pass(10);
    expect(holds(node)).toBe(true);
    const asked = elected({ config: LEASES });
    asked.transferLeader(7, 3, 10);
    asked.pass(10);
    expect(asked.state.transfer).toBeNull();
    expect(holds(asked)).toBe(false);
  });

  test("runs from when the messages were sent that a quorum has answered, for the time that is configured", () => {
    const node = elected({ config: LEASES });
    const beats = node.pass(50);
    const sent = node.now;
    node.now += 80;
    node.accept(sentTo(beats, 3));
    node.now = sent + 139;
    expect(holds(node)).toBe(true);
    node.now = sent + 140;
    expect(holds(node)).toBe(false);
  });

  test("has not begun when nobody has answered this leadership", () => {
    const { node } = elect({ config: LEASES });
    expect(holds(node)).toBe(false);
  });

  test("is not held where leases are off", () => {
    expect(holds(elected(), null)).toBe(false);
  });

  test("never ends for a leader that is a quorum by itself", () => {
    const node = elected({ membership: voters(1), config: LEASES });
    node.now += 1_000_000;
    expect(the(node.read(1, "lease"), "readReady").requestId).toBe(1);
  });
});
