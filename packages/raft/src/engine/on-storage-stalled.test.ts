import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, memberships, only, the } from "../../test/engine-harness.js";

describe("while storage hangs", () => {
  test("a leader steps down at once: what it has accepted has an unknown outcome, and it says why it serves nothing", () => {
    const node = elected();
    node.write("a");
    node.read(7);
    const out = node.stalled("append");
    expect(node.state.role).toEqual({ type: "follower", leaderId: null });
    expect(the(out, "abandonWrites").since).toBe(2);
    const refusal = { code: "storageStalled", verb: "append" };
    expect(the(out, "refuseReads").refusal).toEqual(refusal);
    expect(the(node.write("b"), "refuseWrites").refusal).toEqual(refusal);
    expect(the(node.change(8, { type: "removeVoters", ids: [3] }), "reply").refusal).toEqual(refusal);
  });

  test("it says where the leader is, as soon as it knows one", () => {
    const node = elected();
    node.stalled("append");
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
    expect(the(node.write("b"), "refuseWrites").refusal).toEqual({ code: "notLeader", leaderId: 3 });
  });

  test("nobody stands for election, by the timer or by command, and no timer is set", () => {
    const node = new TestEngine();
    node.stalled("save vote");
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(node.pass(10_000)).toEqual([]);
    expect(node.step({ type: "elect" })).toEqual([]);
    expect(node.role).toBe("follower");
  });

  test("who stands gives up, in either kind of candidacy, and what comes for it is not counted", () => {
    const asking = new TestEngine();
    asking.pass(300);
    expect(asking.role).toBe("preCandidate");
    asking.stalled("append");
    asking.preVoteResponse(2, 1, true);
    expect(asking.state.role).toEqual({ type: "follower", leaderId: null });
    const standing = new TestEngine();
    standing.step({ type: "elect" });
    standing.stalled("save vote");
    standing.persist();
    standing.voteResponse(2, 1, true);
    standing.voteResponse(3, 1, true);
    expect(standing.role).toBe("follower");
    expect(standing.state.vote).toEqual({ term: 1, votedFor: 1, committed: false });
  });

  test("nobody is elected: a promise could not be kept in time", () => {
    const node = new TestEngine();
    node.stalled("append");
    expect(the(node.preVoteRequest(2, 5, id(9, 9)), "answerPreVote").response.granted).toBe(false);
    for (const transfer of [false, true]) {
      const out = node.voteRequest(2, 5, id(9, 9), transfer);
      expect(the(out, "answerVote").response).toEqual({ term: 0, granted: false });
      expect(only(out, "saveVote")).toEqual([]);
    }
  });

  test("followers go on following, and learners learning", () => {
    for (const membership of [memberships([[1, 2, 3]]), memberships([[2, 3]], 3)]) {
      const node = new TestEngine({ membership });
      node.append({ term: 1, prevLogId: id(0, 0) });
      const { role } = node.state;
      expect(node.stalled("append")).toEqual([]);
      expect(node.state.role).toBe(role);
      const out = node.append({ term: 1, prevLogId: id(0, 0) });
      expect(the(out, "answerAppendEntries").response.type).toBe("success");
    }
  });
});

describe("when storage works again", () => {
  test("a voter waits a whole timeout before it stands: what it missed is not overdue", () => {
    const node = elected();
    node.stalled("append");
    node.now += 10_000;
    expect(node.stalled(null)).toEqual([]);
    expect(node.engine.nextDeadline()).toBe(node.now + 225);
    expect(the(node.write("a"), "refuseWrites").refusal).toEqual({ code: "notLeader", leaderId: null });
    expect(only(node.pass(225), "sendPreVote")).toHaveLength(2);
    expect(the(node.voteRequest(2, 5, id(9, 9)), "answerVote").response.granted).toBe(true);
  });

  test("a node that hangs in something else now still hangs", () => {
    const node = new TestEngine();
    node.stalled("append");
    node.stalled("purge");
    expect(the(node.write("a"), "refuseWrites").refusal).toEqual({ code: "storageStalled", verb: "purge" });
  });
});
