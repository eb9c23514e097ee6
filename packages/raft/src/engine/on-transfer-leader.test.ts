import { describe, expect, test } from "vitest";
import { TestEngine, elect, elected, memberships, only, sentTo, the } from "../../test/engine-harness.js";

describe("a transfer", () => {
  test("is refused by who does not lead", () => {
    expect(the(new TestEngine().transferLeader(7, 2), "reply").refusal).toEqual({
      code: "notLeader",
      leaderId: null,
    });
  });

  test("to the leader itself is done: there is nothing to hand over", () => {
    const node = elected();
    expect(node.transferLeader(7, 1)).toEqual([{ type: "reply", requestId: 7, refusal: null, afterIo: 0 }]);
    expect(node.state.transfer).toBeNull();
  });

  test("goes only to a voter: a learner, a stranger, and who leaves with the joint membership cannot lead for long", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    for (const target of [4, 9]) {
      expect(the(node.transferLeader(7, target), "reply").refusal).toEqual({
        code: "transferFailed",
        target,
        reason: "notAVoter",
      });
    }
    node.change(6, { type: "replaceVoters", ids: [1, 2, 4] });
    expect(the(node.transferLeader(7, 3), "reply").refusal).toMatchObject({ target: 3, reason: "notAVoter" });
    expect(node.transferLeader(7, 4)).toEqual([]);
    expect(node.state.transfer).toMatchObject({ target: 4, term: 1, asked: false });
  });

  test("is refused while the leader itself is being removed: it hands over once that is committed", () => {
    const node = elected({ membership: memberships([[1, 2, 3]]) });
    node.change(6, { type: "removeVoters", ids: [1] });
    expect(the(node.transferLeader(7, 2), "reply").refusal).toMatchObject({ code: "changeInProgress" });
    expect(node.state.transfer).toBeNull();
  });

  test("without a target goes to the voter that has most of the log", () => {
    const node = elected();
    const out = node.write("a");
    node.accept(sentTo(out, 3));
    expect(the(node.transferLeader(7, null), "sendTimeoutNow").to).toBe(3);
  });

  test("without a target is refused where no other voter answers", () => {
    for (const node of [elected({ membership: memberships([[1]], 2) }), elect().node]) {
      expect(the(node.transferLeader(7, null), "reply").refusal).toEqual({
        code: "invalidChange",
        problem: "no other voter answers that could lead",
      });
    }
  });

  test("to a voter that does not answer is tried until its time is over", () => {
    const { node } = elect();
    expect(node.transferLeader(7, 2, 40)).toEqual([]);
    expect(the(node.pass(40), "reply").refusal).toMatchObject({ reason: "timeout" });
  });
});

describe("the answer of the target", () => {
  test("with a later term ends this leadership", () => {
    const node = elected();
    node.transferLeader(7, 3);
    const out = node.timeoutNowAnswered(3, 1, true, 2);
    expect(node.role).toBe("follower");
    expect(node.state.vote.term).toBe(2);
    expect(only(out, "reply")).toEqual([]);
    expect(node.state.transfer).not.toBeNull();
  });

  test("that never came asks nothing of anybody who does not hand over", () => {
    const node = elected();
    expect(node.timeoutNowAnswered(3, 1, false, 0)).toEqual([]);
    expect(node.role).toBe("leader");
  });
});
