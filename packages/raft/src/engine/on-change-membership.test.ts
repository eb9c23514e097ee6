import { describe, expect, test } from "vitest";
import { TestEngine, elect, elected, flow, id, memberships, only, the } from "../../test/engine-harness.js";

const CHANGE = { type: "removeVoters", ids: [3] } as const;

describe("a change of the membership is refused", () => {
  test("by who does not lead", () => {
    expect(new TestEngine().change(7, CHANGE)).toEqual([
      { type: "reply", requestId: 7, refusal: { code: "notLeader", leaderId: null }, afterIo: 0 },
    ]);
  });

  test("while another is on its way: it says which entry that has come to", () => {
    const node = elected();
    node.change(6, CHANGE);
    expect(the(node.change(7, CHANGE), "reply")).toMatchObject({
      requestId: 7,
      refusal: { code: "changeInProgress", logId: id(1, 2) },
    });
    expect(node.leader.change).toMatchObject({ event: { requestId: 6 }, logId: id(1, 2) });
    expect(node.state.log.last.index).toBe(2);
  });

  test("while another waits to begin", () => {
    const { node } = elect();
    node.change(6, CHANGE);
    expect(the(node.change(7, CHANGE), "reply").refusal).toEqual({ code: "changeInProgress", logId: null });
  });
});

describe("a change that comes before the leader has committed an entry of its own term", () => {
  test("waits for that (scenario of Raft's single-server changes), and begins in the same step", () => {
    const { node, won } = elect();
    expect(node.change(7, CHANGE)).toEqual([]);
    expect(node.leader.change?.logId).toBeNull();
    expect(node.state.log.last.index).toBe(1);
    const all = flow(node, won);
    expect(the(all, "membershipChanged").requestId).toBe(7);
  });

  test("is refused by the rules of that moment", () => {
    const { node, won } = elect();
    node.change(7, { type: "addVoters", ids: [9] });
    const all = flow(node, won);
    expect(the(all, "reply")).toMatchObject({
      requestId: 7,
      refusal: { code: "learnerNotFound", nodeId: 9 },
    });
    expect(node.leader.change).toBeNull();
  });

  test("is refused, not lost, when the leader steps down before: it was certainly not begun", () => {
    const { node } = elect();
    node.change(7, CHANGE);
    const out = node.append({ term: 9, leaderId: 2, prevLogId: id(0, 0) });
    expect(only(out, "reply")).toEqual([
      { type: "reply", requestId: 7, refusal: { code: "notLeader", leaderId: 2 }, afterIo: 0 },
    ]);
    expect(only(out, "abandonChange")).toEqual([]);
  });
});

test("a change waits for a membership that is not committed, whoever appended it", () => {
  const node = elected({ incarnation: 11, membership: memberships([[1, 2, 3]], 4) });
  const store = (peer: number): number => 10 + peer;
  const out = only(node.pass(50), "sendAppendEntries").flatMap((beat) => node.accept(beat, store(beat.to)));
  expect(node.state.memberships).toHaveLength(2);
  expect(node.change(7, { type: "addVoters", ids: [4] })).toEqual([]);
  const all = flow(node, out, () => true, store);
  expect(the(all, "membershipChanged")).toMatchObject({ requestId: 7, logId: id(1, 4) });
});
