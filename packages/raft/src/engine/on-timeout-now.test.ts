import { describe, expect, test } from "vitest";
import type { StartOptions } from "../../test/engine-harness.js";
import { TestEngine, elected, id, memberships, only, snapshotMeta, the } from "../../test/engine-harness.js";

/** Node 1 follows node 2 in term 3, with a log up to 3-2. */
function follower(options: StartOptions = {}): TestEngine {
  const node = new TestEngine({ terms: [1, 3], vote: { term: 3 }, ...options });
  node.append({ term: 3, prevLogId: id(3, 2) });
  node.persist();
  return node;
}

/** True when the question is refused, in this node's term, and nothing changes by it. */
function refuses(node: TestEngine, from = 2, term = 3, lastLogId = id(3, 2)): boolean {
  const { vote, role } = node.state;
  const out = node.timeoutNow(from, term, lastLogId);
  const { response } = the(out, "answerTimeoutNow");
  const changed = out.length > 1 || node.state.vote !== vote || node.state.role !== role;
  return !changed && !response.accepted && response.term === vote.term;
}

describe("who is asked to take over (thesis section 3.10)", () => {
  test("stands at once, without asking for pre-votes, and says that it was handed over to", () => {
    const node = follower();
    const out = node.timeoutNow(2, 3, id(3, 2));
    expect(the(out, "answerTimeoutNow").response).toEqual({ term: 3, accepted: true });
    expect(the(out, "saveVote").vote).toEqual({ term: 4, votedFor: 1, committed: false });
    const request = { term: 4, candidateId: 1, lastLogId: id(3, 2), transfer: true };
    expect(only(out, "sendVote").map((sent) => [sent.to, sent.request])).toEqual([
      [2, request],
      [3, request],
    ]);
  });

  test("does so though it hears from the leader, does not stand by itself, or has promised leases before its restart", () => {
    const node = follower({ config: { leaseMs: 140 }, switches: { elect: false } });
    expect(the(node.timeoutNow(2, 3, id(3, 2)), "answerTimeoutNow").response.accepted).toBe(true);
    expect(node.role).toBe("candidate");
  });

  test("may have more of the log than the leader says", () => {
    expect(the(follower().timeoutNow(2, 3, id(1, 9)), "answerTimeoutNow").response.accepted).toBe(true);
  });

  test("stands once: the question again, or late, finds it in a later term", () => {
    const node = follower();
    node.timeoutNow(2, 3, id(3, 2));
    expect(refuses(node)).toBe(true);
    node.append({ term: 5, leaderId: 3, prevLogId: id(3, 2) });
    expect(refuses(node)).toBe(true);
  });

  test("asks again as everybody does when it was not elected: that leave was for one term", () => {
    const node = follower();
    node.timeoutNow(2, 3, id(3, 2));
    const out = node.pass(300);
    expect(only(out, "sendVote")).toEqual([]);
    expect(only(out, "sendPreVote")).toHaveLength(2);
    node.preVoteResponse(2, 5, true);
    expect(node.state.vote.term).toBe(5);
    node.persist();
    expect(only(node.pass(300), "sendPreVote")).toHaveLength(2);
  });
});

describe("it refuses", () => {
  test("whom it does not follow, in this term or in another", () => {
    expect(refuses(follower(), 3)).toBe(true);
    expect(refuses(follower(), 2, 2)).toBe(true);
    expect(refuses(follower(), 2, 4)).toBe(true);
    expect(refuses(new TestEngine({ terms: [1, 3], vote: { term: 3 } }))).toBe(true);
    expect(refuses(elected(), 1, 1, id(1, 1))).toBe(true);
  });

  test("without the whole log of the leader: it could not win", () => {
    expect(refuses(follower(), 2, 3, id(3, 3))).toBe(true);
    expect(refuses(follower(), 2, 3, id(4, 1))).toBe(true);
  });

  test("as a learner", () => {
    expect(refuses(follower({ membership: memberships([[2, 3]], 3) }))).toBe(true);
  });

  test("from a store that is not the one which votes", () => {
    const incarnations = new Map([[1, 11]]);
    const membership = memberships([[1, 2, 3]], 3, { incarnations });
    expect(refuses(follower({ membership, incarnation: 12 }))).toBe(true);
    const node = follower({ membership, incarnation: 11 });
    expect(the(node.timeoutNow(2, 3, id(3, 2)), "answerTimeoutNow").response.accepted).toBe(true);
  });

  test("while its storage hangs, and while a snapshot takes the place of its state", () => {
    const hangs = follower();
    hangs.stalled("append");
    expect(refuses(hangs)).toBe(true);
    const installs = follower();
    installs.snapshotReceived(snapshotMeta(id(3, 9)));
    expect(refuses(installs)).toBe(true);
  });
});
