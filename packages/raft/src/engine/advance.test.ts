import { describe, expect, test } from "vitest";
import { elect, elected, flow, id, memberships, only, sentTo, the } from "../../test/engine-harness.js";

describe("when more is committed", () => {
  test("followers hear of it, and reads that waited for a first commit get their round", () => {
    const { node, won } = elect();
    node.persist();
    node.read(7);
    const out = node.accept(sentTo(won, 2));
    expect(node.leader.reads).toMatchObject([{ requestId: 7, readIndex: id(1, 1), round: 1 }]);
    expect(only(out, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
  });

  test("leaving a joint membership may commit what waited for its outgoing set, in the same step", () => {
    const node = elected({ membership: memberships([[1, 2, 3, 4]], 4) });
    const joint = node.change(7, { type: "replaceVoters", ids: [1] });
    node.write("a");
    node.persist();
    node.accept(sentTo(joint, 2));
    expect(node.state.committed.index).toBe(1);
    const out = node.accept(sentTo(joint, 3));
    // The entry after the joint one is on node 1 alone, and node 1 alone decides now.
    expect(node.state.committed.index).toBe(3);
    expect(the(out, "append").entries[0]?.logId).toEqual(id(1, 4));
    expect(only(out, "apply")).toEqual([
      { type: "apply", since: 2, upto: 2 },
      { type: "apply", since: 3, upto: 3 },
    ]);
  });

  test("a leader that steps down by it says nothing more to its followers", () => {
    const node = elected();
    const joint = node.change(7, { type: "removeVoters", ids: [1] });
    const last = flow(node, joint, (peer) => peer === 2);
    expect(only(last, "membershipChanged")).toEqual([]);
    const types = flow(node, node.accept(sentTo(joint, 3))).map(({ type }) => type);
    expect(types.slice(types.indexOf("membershipChanged"))).toEqual([
      "membershipChanged",
      "sendTimeoutNow",
      "abandonWrites",
      "apply",
    ]);
  });

  test("who was removed by it is sent nothing more", () => {
    const other = elected({ membership: memberships([[1]], 2) });
    const removed = other.change(7, { type: "removeNodes", ids: [2] });
    for (const data of ["a", "b", "c"]) other.write(data);
    const told = [...other.persist(other.state.io.issued - 3), ...other.accept(sentTo(removed, 2))];
    expect(other.state.committed.index).toBe(2);
    expect(only(told, "sendAppendEntries")).toEqual([]);
  });
});

test("when nothing more is committed, nobody is told anything", () => {
  const node = elected();
  const out = node.write("a");
  expect(node.accept(sentTo(out, 2))).toEqual([]);
});
