import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elect,
  elected,
  entries,
  id,
  only,
  sentTo,
  the,
  voters,
} from "../../test/engine-harness.js";

describe("when writes become durable", () => {
  test("a candidate has its own vote, and not before that very write", () => {
    const node = new TestEngine({ membership: voters(1), terms: [1] });
    node.append({ term: 1, prevLogId: id(1, 1), entries: entries(2, 1) });
    node.step({ type: "elect" });
    const { issued } = node.state.io;
    node.persist(issued - 1);
    expect(node.role).toBe("candidate");
    node.persist(issued);
    expect(node.role).toBe("leader");
  });

  test("a later write that is durable makes the vote durable with it", () => {
    const node = new TestEngine({ membership: voters(1) });
    node.step({ type: "elect" });
    node.voteRequest(2, 1, id(9, 9));
    node.persist();
    expect(node.role).toBe("leader");
  });

  test("a candidate that lost its term in the meantime is not elected by its old vote", () => {
    const node = new TestEngine({ membership: voters(1, 2) });
    node.step({ type: "elect" });
    node.voteRequest(2, 5, id(9, 9));
    node.persist(1);
    expect(node.role).toBe("follower");
  });

  test("a leader of one commits and applies (a single-node cluster acknowledges only after its own sync)", () => {
    const node = elected({ membership: voters(1) });
    expect(only(node.write("a"), "apply")).toEqual([]);
    expect(the(node.persist(), "apply")).toEqual({ type: "apply", since: 2, upto: 2 });
  });

  test("a leader whose own disk completes the quorum tells its followers", () => {
    const node = elected();
    node.accept(sentTo(node.write("a"), 2));
    const out = node.persist();
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 2), upto: 2, leaderCommit: 2 });
  });

  test("reads that waited for the first commit of a leader get their round", () => {
    const { node } = elect({ membership: voters(1) });
    node.read(7);
    expect(node.persist()).toContainEqual({ type: "readReady", requestId: 7, readIndex: id(1, 1) });
  });

  test("a follower applies what was committed before its disk had it", () => {
    const node = new TestEngine({ vote: { term: 1 } });
    const out = node.append({ term: 1, prevLogId: id(0, 0), entries: entries(1, 1, 1), leaderCommit: 2 });
    expect(node.state.committed.index).toBe(2);
    expect(only(out, "apply")).toEqual([]);
    expect(node.persist()).toEqual([{ type: "apply", since: 1, upto: 2 }]);
  });

  test("only what is durable is applied, when that is half of what is committed", () => {
    const node = new TestEngine({ vote: { term: 1, votedFor: 2, committed: true } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: entries(1, 1), leaderCommit: 2 });
    node.append({ term: 1, prevLogId: id(1, 1), entries: entries(2, 1), leaderCommit: 2 });
    expect(node.persist(1)).toEqual([{ type: "apply", since: 1, upto: 1 }]);
    expect(node.persist(2)).toEqual([{ type: "apply", since: 2, upto: 2 }]);
  });
});
