import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, memberships, the } from "../../test/engine-harness.js";
import type { StartOptions } from "../../test/engine-harness.js";

function answerOf(node: TestEngine, candidate: number, term: number, lastLogId = id(9, 9)) {
  return the(node.preVoteRequest(candidate, term, lastLogId), "answerPreVote");
}

describe("a pre-vote (thesis section 9.6)", () => {
  test("is granted to a later term and a log that is up to date; nothing is written, no term is taken over", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 3, votedFor: 1 } });
    expect(node.preVoteRequest(2, 4, id(1, 2))).toEqual([
      { type: "answerPreVote", rpcId: 1, response: { term: 3, granted: true }, afterIo: 0 },
    ]);
    expect(node.state.vote).toEqual({ term: 3, votedFor: 1, committed: false });
  });

  test("may be granted to several candidates: it promises nothing", () => {
    const node = new TestEngine();
    expect(answerOf(node, 2, 1).response.granted).toBe(true);
    expect(answerOf(node, 3, 1).response.granted).toBe(true);
  });

  test("is refused to the present term and to earlier ones, and the answer tells the term", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    expect(answerOf(node, 2, 3).response).toEqual({ term: 3, granted: false });
    expect(answerOf(node, 2, 2).response).toEqual({ term: 3, granted: false });
  });

  test("is refused to an outdated log", () => {
    const node = new TestEngine({ terms: [1, 2] });
    expect(answerOf(node, 2, 9, id(1, 5)).response.granted).toBe(false);
    expect(answerOf(node, 2, 9, id(2, 1)).response.granted).toBe(false);
  });

  test("is refused by a leader", () => {
    expect(answerOf(elected(), 2, 9).response.granted).toBe(false);
  });

  test("is refused within the least election timeout after a leader was heard from, and not later", () => {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.now += 149;
    expect(answerOf(node, 2, 2).response.granted).toBe(false);
    node.now += 1;
    expect(answerOf(node, 2, 2).response.granted).toBe(true);
  });

  test("is refused so too by a follower that stands for election itself", () => {
    const node = new TestEngine({ random: [0] });
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.now += 100;
    node.step({ type: "elect" });
    expect(answerOf(node, 2, 9).response.granted).toBe(false);
  });

  test("does not put the election off: it is not a vote", () => {
    const node = new TestEngine();
    const deadline = node.engine.nextDeadline();
    node.now += 100;
    node.preVoteRequest(2, 1, id(0, 0));
    expect(node.engine.nextDeadline()).toBe(deadline);
  });

  test("is answered once the term that it tells is durable", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.voteRequest(3, 5, id(0, 0));
    expect(answerOf(node, 2, 9)).toMatchObject({ response: { term: 5 }, afterIo: node.state.io.issued });
    expect(node.state.io.issued).toBeGreaterThan(0);
  });
});

describe("two nodes that ask at the same time", () => {
  function asking(options: StartOptions = {}): TestEngine {
    const node = new TestEngine({ id: 2, terms: [1, 1], ...options });
    node.pass(300);
    expect(node.role).toBe("preCandidate");
    return node;
  }

  test("do not both stand: with equal logs the lower id comes first", () => {
    const node = asking();
    expect(answerOf(node, 3, 2, id(1, 2)).response.granted).toBe(false);
    expect(answerOf(node, 1, 2, id(1, 2)).response.granted).toBe(true);
  });

  test("go by their logs where these differ", () => {
    expect(answerOf(asking(), 3, 2, id(1, 3)).response.granted).toBe(true);
    expect(answerOf(asking(), 1, 2, id(1, 1)).response.granted).toBe(false);
  });

  test("go by their ids only once: who asks again, because it reaches too few, makes way for who reaches more", () => {
    const node = asking();
    node.pass(300);
    expect(answerOf(node, 3, 2, id(1, 2)).response.granted).toBe(true);
  });

  test("go by their ids again in the next election", () => {
    const node = asking();
    node.pass(300);
    node.append({ term: 1, leaderId: 1, prevLogId: id(1, 2) });
    node.pass(300);
    expect(answerOf(node, 3, 2, id(1, 2)).response.granted).toBe(false);
  });

  test("are not held up by one that only follows", () => {
    const node = new TestEngine({ id: 2, terms: [1, 1] });
    expect(answerOf(node, 3, 2, id(1, 2)).response.granted).toBe(true);
  });
});

describe("answers to a pre-vote", () => {
  function asking(): TestEngine {
    const node = new TestEngine({ vote: { term: 3 } });
    node.pass(300);
    return node;
  }

  test("granted by a quorum lead to the election", () => {
    const node = asking();
    node.preVoteResponse(2, 4, true);
    expect(node.role).toBe("candidate");
    expect(node.state.vote).toEqual({ term: 4, votedFor: 1, committed: false });
  });

  test("refused are not counted", () => {
    const node = asking();
    node.preVoteResponse(2, 4, false, 3);
    expect(node.role).toBe("preCandidate");
  });

  test("with a later term are learned from: this node was behind", () => {
    const node = asking();
    node.preVoteResponse(2, 4, false, 7);
    expect(node.role).toBe("follower");
    expect(node.state.vote).toEqual({ term: 7, votedFor: null, committed: false });
  });

  test("about another term are not counted", () => {
    const node = asking();
    node.preVoteResponse(2, 3, true);
    node.preVoteResponse(3, 5, true, 3);
    expect(node.role).toBe("preCandidate");
  });

  test("that come when this node asks no longer are not counted", () => {
    const node = asking();
    node.append({ term: 3, leaderId: 3, prevLogId: id(0, 0) });
    node.preVoteResponse(2, 4, true);
    expect(node.role).toBe("follower");
  });

  test("of learners are not counted", () => {
    const node = new TestEngine({ membership: memberships([[1, 2, 3]], 5) });
    node.pass(300);
    node.preVoteResponse(4, 1, true);
    node.preVoteResponse(5, 1, true);
    expect(node.role).toBe("preCandidate");
  });
});
