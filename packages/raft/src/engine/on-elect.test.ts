import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, memberships, newNode, only, the } from "../../test/engine-harness.js";

describe("an election by hand", () => {
  test("skips the pre-vote: the operator has decided", () => {
    const node = new TestEngine();
    const out = node.step({ type: "elect" });
    expect(node.state.vote).toEqual({ term: 1, votedFor: 1, committed: false });
    expect(only(out, "sendVote").map(({ to }) => to)).toEqual([2, 3]);
  });

  test("of the current leader is a no-op", () => {
    const node = elected();
    const { role } = node.state;
    expect(node.step({ type: "elect" })).toEqual([]);
    expect(node.state.role).toBe(role);
    expect(node.state.vote.term).toBe(1);
  });

  test("of a learner, or of a node that belongs to no cluster, does nothing", () => {
    const learner = new TestEngine({ membership: memberships([[2, 3]], 3) });
    expect(learner.step({ type: "elect" })).toEqual([]);
    expect(learner.role).toBe("learner");
    expect(newNode().step({ type: "elect" })).toEqual([]);
  });

  test("during an election starts another, in the next term", () => {
    const node = new TestEngine();
    node.step({ type: "elect" });
    node.step({ type: "elect" });
    expect(node.state.vote.term).toBe(2);
    node.persist();
    node.voteResponse(2, 1, true);
    expect(node.role).toBe("candidate");
  });

  test("goes on although a leader was heard from: it is the leader that the operator wants gone", () => {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(only(node.step({ type: "elect" }), "sendVote")).toHaveLength(2);
  });
});

describe("an election by hand where leases are served", () => {
  const leases = { config: { leaseMs: 140 } } as const;

  test("waits while this node has promised a leader not to elect another: its own vote counts too", () => {
    const node = new TestEngine(leases);
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.now += 149;
    expect(node.step({ type: "elect" })).toEqual([]);
    expect(node.state.vote).toEqual({ term: 1, votedFor: 3, committed: true });
    node.now += 1;
    expect(only(node.step({ type: "elect" }), "sendVote")).toHaveLength(2);
  });

  test("waits after a restart, which may have forgotten such a promise", () => {
    const node = new TestEngine({ ...leases, vote: { term: 4 } });
    node.now += 299;
    expect(node.step({ type: "elect" })).toEqual([]);
    node.now += 1;
    expect(the(node.step({ type: "elect" }), "saveVote").vote.term).toBe(5);
  });
});
