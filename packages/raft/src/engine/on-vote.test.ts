import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, memberships, newNode, only, the } from "../../test/engine-harness.js";

describe("RequestVote (figure 2)", () => {
  test("is answered once term and vote are durable", () => {
    const node = new TestEngine({ terms: [1], vote: { term: 3 } });
    const out = node.voteRequest(2, 4, id(1, 1));
    expect(out).toEqual([
      { type: "saveVote", ioSeq: 1, vote: { term: 4, votedFor: 2, committed: false } },
      { type: "answerVote", rpcId: 1, response: { term: 4, granted: true }, afterIo: 1 },
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

  test("of a later term ends a candidacy, whether it gets the vote or not (section 5.1)", () => {
    const node = new TestEngine({ terms: [1] });
    node.step({ type: "elect" });
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
    expect(the(again, "answerVote")).toMatchObject({ response: { granted: true }, afterIo: 1 });
  });
});

describe("who has a leader does not help to unseat it (thesis section 4.2.3)", () => {
  const refused = { response: { term: 1, granted: false } };

  test("a leader stays where it is, in its term, however new the candidate's log and term are", () => {
    const node = elected();
    node.now += 10_000;
    const out = node.voteRequest(2, 5, id(9, 9));
    expect(out.map(({ type }) => type)).toEqual(["answerVote"]);
    expect(out[0]).toMatchObject(refused);
    expect(node.role).toBe("leader");
    expect(node.state.vote.term).toBe(1);
  });

  test("a follower takes no later term over within the least election timeout after it heard from one, and not later", () => {
    const node = new TestEngine({ random: [0.999] });
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    const deadline = node.engine.nextDeadline();
    node.now += 149;
    expect(the(node.voteRequest(2, 5, id(9, 9)), "answerVote")).toMatchObject(refused);
    expect(node.state.vote).toEqual({ term: 1, votedFor: 3, committed: true });
    expect(node.engine.nextDeadline()).toBe(deadline);
    node.now += 1;
    expect(the(node.voteRequest(2, 5, id(9, 9)), "answerVote").response).toEqual({ term: 5, granted: true });
  });

  test("nor does one that stands itself, by the command of an operator", () => {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.step({ type: "elect" });
    expect(the(node.voteRequest(2, 9, id(9, 9)), "answerVote").response).toEqual({ term: 2, granted: false });
  });

  test("a learner that hears the leader is no help either: whether it votes is not for its own log to say", () => {
    const learner = new TestEngine({ membership: memberships([[2, 3]], 3) });
    learner.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(the(learner.voteRequest(2, 5, id(9, 9)), "answerVote")).toMatchObject(refused);
  });

  test("a leader that stepped down is free at once: it knows that it promised nothing to another", () => {
    const node = elected();
    node.pass(300);
    expect(node.role).toBe("follower");
    expect(the(node.voteRequest(2, 5, id(9, 9)), "answerVote").response.granted).toBe(true);
  });
});

describe("a candidate that the leader handed over to", () => {
  test("is voted for by followers that hear that leader, and by the leader itself, which steps down", () => {
    const follower = new TestEngine();
    follower.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    const out = follower.voteRequest(2, 2, id(0, 0), true);
    expect(the(out, "answerVote").response).toEqual({ term: 2, granted: true });
    const leader = elected();
    leader.transferLeader(7, 2);
    expect(the(leader.voteRequest(2, 2, id(1, 1), true), "answerVote").response.granted).toBe(true);
    expect(leader.role).toBe("follower");
  });

  test("is voted for after a restart, too, where leases are served: the leader of the term before has none", () => {
    const node = new TestEngine({ vote: { term: 4 }, config: { leaseMs: 140 } });
    expect(the(node.voteRequest(2, 5, id(9, 9), true), "answerVote").response.granted).toBe(true);
  });

  test("needs a log as new as everybody, and the vote of a term is given once", () => {
    const node = new TestEngine({ terms: [1, 1] });
    node.append({ term: 1, leaderId: 3, prevLogId: id(1, 2) });
    expect(the(node.voteRequest(2, 2, id(1, 1), true), "answerVote").response).toEqual({
      term: 2,
      granted: false,
    });
    node.voteRequest(2, 3, id(1, 2), true);
    expect(the(node.voteRequest(4, 3, id(1, 2), true), "answerVote").response.granted).toBe(false);
  });

  test("of a term that is over unseats nobody", () => {
    const node = elected({ vote: { term: 4 } });
    const out = node.voteRequest(2, 5, id(9, 9), true);
    expect(the(out, "answerVote").response).toEqual({ term: 5, granted: false });
    expect(node.role).toBe("leader");
  });
});

describe("a restart", () => {
  test("cannot vote twice: the vote was durable before it was told", () => {
    const node = new TestEngine({ vote: { term: 4, votedFor: 2 } });
    expect(the(node.voteRequest(3, 4, id(9, 9)), "answerVote").response.granted).toBe(false);
    expect(the(node.voteRequest(2, 4, id(9, 9)), "answerVote").response.granted).toBe(true);
  });

  test("has forgotten whose lease it promised: where leases are served it votes for nobody for one longest election timeout", () => {
    const node = new TestEngine({ vote: { term: 4 }, config: { leaseMs: 140 } });
    node.now += 299;
    expect(the(node.voteRequest(2, 9, id(9, 9)), "answerVote").response).toEqual({ term: 4, granted: false });
    expect(the(node.preVoteRequest(2, 9, id(9, 9)), "answerPreVote").response.granted).toBe(false);
    node.now += 1;
    expect(the(node.preVoteRequest(2, 9, id(9, 9)), "answerPreVote").response.granted).toBe(true);
    expect(the(node.voteRequest(2, 9, id(9, 9)), "answerVote").response).toEqual({ term: 9, granted: true });
  });

  test("of a node in term 0 has nothing to have forgotten: who answered a leader kept its term", () => {
    const node = new TestEngine({ config: { leaseMs: 140 } });
    expect(the(node.voteRequest(2, 1, id(9, 9)), "answerVote").response.granted).toBe(true);
  });

  test("where no leases are served votes at once", () => {
    const node = new TestEngine({ vote: { term: 4 } });
    expect(the(node.voteRequest(2, 9, id(9, 9)), "answerVote").response.granted).toBe(true);
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
