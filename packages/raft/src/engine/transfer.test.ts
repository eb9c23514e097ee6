import { describe, expect, test } from "vitest";
import type { TestEngine } from "../../test/engine-harness.js";
import {
  contextOf,
  elect,
  elected,
  flow,
  id,
  memberships,
  only,
  sentTo,
  the,
  voters,
} from "../../test/engine-harness.js";
import { bestSuccessor } from "./transfer.js";

const TO_3 = { code: "transferInProgress", target: 3 } as const;
const TIMED_OUT = { code: "transferFailed", target: 3, reason: "timeout" } as const;

/** Node 1 leads; node 3 lacks the newest entry. */
function lagging(): { node: TestEngine; missing: ReturnType<typeof sentTo> } {
  const node = elected();
  const out = node.write("a");
  flow(node, out, (peer) => peer === 2);
  return { node, missing: sentTo(out, 3) };
}

describe("the target is asked to stand (thesis section 3.10)", () => {
  test("at once where it has all of the log", () => {
    const out = elected().transferLeader(7, 3);
    expect(out).toEqual([
      { type: "sendTimeoutNow", to: 3, request: { term: 1, leaderId: 1, lastLogId: id(1, 1) } },
    ]);
  });

  test("only once it has all of the log, be it committed or not", () => {
    const { node, missing } = lagging();
    const rest = sentTo(node.write("b"), 3);
    expect(node.transferLeader(7, 3)).toEqual([]);
    expect(only(node.accept(missing), "sendTimeoutNow")).toEqual([]);
    expect(node.state.committed.index).toBe(2);
    const out = node.answer(rest, { type: "success", matchIndex: 3 });
    expect(the(out, "sendTimeoutNow").request.lastLogId).toEqual(id(1, 3));
  });

  test("when the leader's own disk is what commits the membership", () => {
    const node = elected();
    const out = node.change(8, { type: "addNodes", nodes: [[4, { addr: "n4" }]] });
    node.accept(sentTo(out, 3));
    expect(node.transferLeader(7, 3)).toEqual([]);
    expect(only(node.persist(), "sendTimeoutNow")).toHaveLength(1);
  });

  test("once, until it answers that it does not: then when anybody answers next", () => {
    const node = elected();
    node.transferLeader(7, 3);
    const beats = node.pass(50);
    expect(only(node.accept(sentTo(beats, 3)), "sendTimeoutNow")).toEqual([]);
    expect(node.timeoutNowAnswered(3, 1, false)).toEqual([]);
    expect(the(node.accept(sentTo(beats, 2)), "sendTimeoutNow").to).toBe(3);
  });

  test("not again when it said that it stands, nor for an answer of another node or term", () => {
    const node = elected();
    node.transferLeader(7, 3);
    const beats = node.pass(50);
    node.timeoutNowAnswered(3, 1, true);
    node.timeoutNowAnswered(2, 1, false);
    node.timeoutNowAnswered(3, 0, false);
    expect(only(node.accept(sentTo(beats, 2)), "sendTimeoutNow")).toEqual([]);
  });

  test("after a snapshot, where it needed one", () => {
    const { node, won } = elect({ purged: id(1, 5), terms: [1] });
    flow(node, won, (peer) => peer === 2);
    const probe = sentTo(node.answer(sentTo(won, 3), { type: "conflict", hint: id(1, 2) }), 3);
    const sent = the(node.answer(probe, { type: "conflict", hint: id(1, 2) }), "sendSnapshot");
    node.transferLeader(7, 3);
    const rest = node.snapshotDone(sent, id(1, 5));
    expect(only(rest, "sendTimeoutNow")).toEqual([]);
    expect(the(node.accept(sentTo(rest, 3)), "sendTimeoutNow")).toMatchObject({ to: 3 });
  });

  test("right after the snapshot that brings it all of the log", () => {
    const node = elected({ membership: voters(1, 2, 3) });
    const out = node.write("a");
    flow(node, out, (peer) => peer === 2);
    node.step({ type: "takeSnapshot", requestId: 1 });
    node.step({ type: "snapshotBuilt", lastLogId: id(1, 2) });
    node.fail(sentTo(out, 3));
    const sent = the(node.pass(50), "sendSnapshot");
    node.transferLeader(7, 3);
    expect(the(node.snapshotDone(sent, id(1, 2)), "sendTimeoutNow").to).toBe(3);
  });
});

describe("while the leadership is handed over", () => {
  test("writes and changes are refused, and nothing of them is appended", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    node.transferLeader(7, 3);
    expect(node.write("a")).toEqual([{ type: "refuseWrites", refusal: TO_3 }]);
    expect(node.change(8, { type: "addVoters", ids: [4] })).toEqual([
      { type: "reply", requestId: 8, refusal: TO_3, afterIo: 0 },
    ]);
    expect(node.state.log.last.index).toBe(1);
  });

  test("a change is refused at once, also where it would have to wait", () => {
    const { node } = elect();
    node.transferLeader(7, 3);
    expect(the(node.change(8, { type: "removeVoters", ids: [2] }), "reply").refusal).toEqual(TO_3);
    expect(node.leader.change).toBeNull();
  });

  test("a change that waited to begin is refused when its turn comes", () => {
    const { node, won } = elect();
    node.change(8, { type: "removeVoters", ids: [2] });
    node.transferLeader(7, 3);
    const all = flow(node, won);
    expect(only(all, "reply")).toEqual([{ type: "reply", requestId: 8, refusal: TO_3, afterIo: 0 }]);
    expect(node.leader.change).toBeNull();
    expect(node.state.log.last.index).toBe(1);
  });

  test("a joint membership is left all the same, and the target is asked once it has that too", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    const joint = node.change(8, { type: "replaceVoters", ids: [1, 3, 4] });
    expect(node.transferLeader(7, 3)).toEqual([]);
    const all = flow(node, joint);
    expect(the(all, "membershipChanged").logId).toEqual(id(1, 3));
    expect(the(all, "sendTimeoutNow").request.lastLogId).toEqual(id(1, 3));
  });

  test("linearizable reads are served, and not by the lease", () => {
    const node = elected({ config: { leaseMs: 140 } });
    node.transferLeader(7, 3);
    const out = node.read(9, "lease");
    expect(only(out, "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(out, 2)), "readReady")).toHaveLength(1);
  });

  test("a second transfer is refused", () => {
    const node = elected();
    node.transferLeader(7, 3);
    expect(node.transferLeader(8, 2)).toEqual([{ type: "reply", requestId: 8, refusal: TO_3, afterIo: 0 }]);
    expect(node.state.transfer?.requestId).toBe(7);
  });
});

describe("the end of its time", () => {
  test("gives it up: the leader serves again, and has its timer set for that moment", () => {
    const { node } = lagging();
    node.transferLeader(7, 3, 20);
    expect(node.engine.nextDeadline()).toBe(node.now + 20);
    expect(only(node.pass(19), "reply")).toEqual([]);
    expect(only(node.pass(1), "reply")).toEqual([
      { type: "reply", requestId: 7, refusal: TIMED_OUT, afterIo: 0 },
    ]);
    expect(node.state.transfer).toBeNull();
    expect(only(node.write("b"), "acceptWrites")).toHaveLength(1);
    expect(only(node.pass(500), "reply")).toEqual([]);
  });

  test("gives the lease back where the target was never asked", () => {
    const node = elected({ config: { leaseMs: 140 } });
    node.write("a");
    node.transferLeader(7, 3, 20);
    node.pass(20);
    expect(only(node.read(9, "lease"), "readReady")).toHaveLength(1);
  });

  test("and not where it was: the question may arrive at any time in this term", () => {
    const node = elected({ config: { leaseMs: 140 } });
    node.transferLeader(7, 3, 20);
    const beats = node.pass(50);
    for (const peer of [2, 3]) node.accept(sentTo(beats, peer));
    expect(node.state.transfer).toBeNull();
    expect(only(node.read(9, "lease"), "readReady")).toEqual([]);
  });

  test("is told by a node that does not lead any more, too", () => {
    const node = elected();
    node.transferLeader(7, 3, 200);
    expect(node.voteRequest(3, 2, id(1, 1), true).map(({ type }) => type)).not.toContain("reply");
    expect(node.role).toBe("follower");
    expect(node.engine.nextDeadline()).toBe(1200);
    expect(the(node.pass(200), "reply").refusal).toEqual(TIMED_OUT);
    expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
  });
});

describe("the next leader", () => {
  test("is the target: it worked", () => {
    const node = elected();
    node.transferLeader(7, 3);
    node.voteRequest(3, 2, id(1, 1), true);
    const out = node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
    expect(only(out, "reply")).toEqual([{ type: "reply", requestId: 7, refusal: null, afterIo: 0 }]);
    expect(node.state.transfer).toBeNull();
    expect(only(node.pass(5000), "reply")).toEqual([]);
  });

  test("is the target, in a term that this node had not seen: it worked", () => {
    const node = elected();
    node.transferLeader(7, 3);
    const out = node.append({ term: 4, leaderId: 3, prevLogId: id(1, 1) });
    expect(the(out, "reply").refusal).toBeNull();
  });

  test("is another: it did not", () => {
    const node = elected();
    node.transferLeader(7, 3);
    const out = node.append({ term: 2, leaderId: 2, prevLogId: id(1, 1) });
    expect(the(out, "reply").refusal).toEqual({ code: "transferFailed", target: 3, reason: "otherLeader" });
  });

  test("is this node itself, again: it did not", () => {
    const node = elected();
    node.transferLeader(7, 3);
    node.voteRequest(3, 2, id(0, 0), true);
    expect(node.role).toBe("follower");
    node.step({ type: "elect" });
    node.persist();
    const won = node.voteResponse(2, 3, true);
    expect(node.role).toBe("leader");
    expect(the(won, "reply").refusal).toEqual({ code: "transferFailed", target: 3, reason: "otherLeader" });
    expect(only(flow(node, won), "sendTimeoutNow")).toEqual([]);
    expect(only(node.write("a"), "acceptWrites")).toHaveLength(1);
  });
});

test("a leader that loses its quorum meanwhile steps down; the transfer is over when a leader is known", () => {
  const node = elected();
  node.transferLeader(7, 3, 10_000);
  node.pass(300);
  expect(node.state.role).toEqual({ type: "follower", leaderId: null });
  expect(node.state.transfer).not.toBeNull();
  expect(the(node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) }), "reply").refusal).toBeNull();
});

describe("the best successor", () => {
  test("has most of the log, of the voters that answer", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    const successor = () => bestSuccessor(contextOf(node), node.leader);
    const out = node.write("a");
    node.accept(sentTo(out, 4));
    expect(successor()).toBe(2);
    node.accept(sentTo(out, 3));
    expect(successor()).toBe(3);
    node.now += 250;
    node.accept(sentTo(node.pass(0), 2));
    node.now += 50;
    expect(successor()).toBe(2);
    node.now += 250;
    expect(successor()).toBeNull();
  });

  test("votes in the set that comes, while joint", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    const out = node.change(8, { type: "replaceVoters", ids: [1, 4] });
    for (const peer of [2, 3]) node.accept(sentTo(out, peer));
    expect(bestSuccessor(contextOf(node), node.leader)).toBe(4);
  });

  test("is nobody of whom nothing is known", () => {
    const { node } = elect();
    expect(bestSuccessor(contextOf(node), node.leader)).toBeNull();
  });
});
