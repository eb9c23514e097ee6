import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, memberships, newNode, only, the } from "../../test/engine-harness.js";

describe("RequestVote (figure 2)", () => {
  test("is answered once term and vote are durable", () => {
    const node = new TestEngine({ terms: [1], vote: { term: 3 } });
    const out = node.voteRequest(2, 4, id(1, 1));
    expect(out).toEqual([
      { type: "saveVote", ioSeq: 1, vote: { term: 4, votedFor: null, committed: false } },
      { type: "saveVote", ioSeq: 2, vote: { term: 4, votedFor: 2, committed: false } },
      { type: "answerVote", rpcId: 1, response: { term: 4, granted: true }, afterIo: 2 },
    ]);
  });

  test("a refusal, too, waits for the term that it tells", () => {
    const node = new TestEngine({ terms: [2], vote: { term: 3 } });
    const out = node.voteRequest(2, 4, id(1, 1));
    expect(the(out, "answerVote")).toMatchObject({ response: { term: 4, granted: false }, afterIo: 1 });
    expect(node.state.vote).toEqual({ term: 4, votedFor: null, committed: false });
  });

  test("of an earlier term is refused, and the answer says why", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    expect(the(node.voteRequest(2, 2, id(9, 9)), "answerVote").response).toEqual({ term: 3, granted: false });
  });

  test("of a later term deposes a leader, whether it gets the vote or not (section 5.1)", () => {
    const node = elected();
    const out = node.voteRequest(2, 5, id(0, 0));
    expect(node.role).toBe("follower");
    expect(the(out, "answerVote").response).toEqual({ term: 5, granted: false });
  });

  test("is answered by a learner and a new node: whose vote counts is for the candidate to say (thesis section 4.2.2)", () => {
    const learner = new TestEngine({ membership: memberships([[2, 3]], 3) });
    expect(the(learner.voteRequest(2, 1, id(0, 0)), "answerVote").response.granted).toBe(true);
    expect(learner.role).toBe("learner");
    expect(the(newNode().voteRequest(2, 1, id(0, 1)), "answerVote").response.granted).toBe(true);
  });

  test("repeated by the same candidate is granted again, because the first answer may be lost", () => {
    const node = new TestEngine();
    node.voteRequest(2, 1, id(0, 0));
    const again = node.voteRequest(2, 1, id(0, 0));
    expect(only(again, "saveVote")).toEqual([]);
    expect(the(again, "answerVote")).toMatchObject({ response: { granted: true }, afterIo: 2 });
  });
});

describe("a restart", () => {
  test("cannot vote twice: the vote was durable before it was told", () => {
    const node = new TestEngine({ vote: { term: 4, votedFor: 2 } });
    expect(the(node.voteRequest(3, 4, id(9, 9)), "answerVote").response.granted).toBe(false);
    expect(the(node.voteRequest(2, 4, id(9, 9)), "answerVote").response.granted).toBe(true);
  });
});

describe("answers to a candidate", () => {
  function candidate(): TestEngine {
    const node = new TestEngine({ membership: memberships([[1, 2, 3, 4, 5]]) });
    node.step({ type: "elect" });
    node.persist();
    return node;
  }

  test("make it leader when a majority granted", () => {
    const node = candidate();
    node.voteResponse(2, 1, true);
    expect(node.role).toBe("candidate");
    node.voteResponse(3, 1, true);
    expect(node.role).toBe("leader");
  });

  test("count once for each voter, however often they come", () => {
    const node = candidate();
    node.voteResponse(2, 1, true);
    node.voteResponse(2, 1, true);
    expect(node.role).toBe("candidate");
  });

  test("refused, or for another term, do not count", () => {
    const node = candidate();
    node.voteResponse(2, 1, false);
    node.voteResponse(3, 0, true, 0);
    node.voteResponse(4, 1, true);
    expect(node.role).toBe("candidate");
  });

  test("with a later term end the candidacy", () => {
    const node = candidate();
    node.voteResponse(2, 1, false, 8);
    expect(node.role).toBe("follower");
    expect(node.state.vote).toEqual({ term: 8, votedFor: null, committed: false });
  });

  test("that come after it lost are not counted", () => {
    const node = candidate();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.voteResponse(2, 1, true);
    node.voteResponse(4, 1, true);
    expect(node.role).toBe("follower");
  });
});
