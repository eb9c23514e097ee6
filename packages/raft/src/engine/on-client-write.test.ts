import { describe, expect, test } from "vitest";
import { TestEngine, command, elect, elected, id, only, sentTo, the } from "../../test/engine-harness.js";
import type { Command } from "./command.js";
import type { WriteExpectation } from "./event.js";

describe("a leader", () => {
  test("appends all writes of a turn as one write and sends them beside its own disk (thesis section 10.2.1)", () => {
    const node = elected();
    const out = node.write("a", "b");
    expect(out.map(({ type }) => type)).toEqual([
      "append",
      "acceptWrites",
      "sendAppendEntries",
      "sendAppendEntries",
    ]);
    expect(out[0]).toEqual({
      type: "append",
      ioSeq: node.state.io.issued,
      entries: [
        { logId: id(1, 2), payload: command("a") },
        { logId: id(1, 3), payload: command("b") },
      ],
    });
    expect(out[1]).toEqual({ type: "acceptWrites", firstIndex: 2 });
    expect(sentTo(out, 3)).toMatchObject({ prevLogId: id(1, 1), upto: 3 });
  });

  test("takes writes before its blank entry is committed", () => {
    const { node } = elect();
    expect(node.write("a")).toContainEqual({ type: "acceptWrites", firstIndex: 2 });
  });
});

describe("a leader with too much to commit", () => {
  const limited = { config: { maxUncommittedEntries: 3 } } as const;

  test("refuses what would go past the limit, and appends none of it", () => {
    const node = elected(limited);
    node.write("a", "b");
    expect(node.write("c", "d")).toEqual([
      { type: "refuseWrites", refusal: { code: "overloaded", limit: 3 } },
    ]);
    expect(node.state.log.last.index).toBe(3);
    expect(the(node.write("c"), "acceptWrites").firstIndex).toBe(4);
    expect(the(node.write("d"), "refuseWrites").refusal.code).toBe("overloaded");
  });

  test("takes writes again when it has committed", () => {
    const node = elected(limited);
    const out = node.write("a", "b", "c");
    node.persist();
    expect(only(node.write("d"), "acceptWrites")).toEqual([]);
    node.accept(sentTo(out, 2));
    expect(the(node.write("d"), "acceptWrites").firstIndex).toBe(5);
  });

  test("takes a turn that is larger than the limit when nothing else waits: refused, it would never be taken", () => {
    const node = elected(limited);
    expect(the(node.write("a", "b", "c", "d"), "acceptWrites").firstIndex).toBe(2);
  });
});

describe("a writer that expects something of the leader", () => {
  function writing(node: TestEngine, expectation: WriteExpectation): Command[] {
    return node.step({ type: "clientWrite", payloads: [command("a")], expect: expectation });
  }

  test("has its write appended when all of it holds", () => {
    const node = elected();
    expect(the(writing(node, {}), "acceptWrites").firstIndex).toBe(2);
    expect(the(writing(node, { leaderTerm: 1 }), "acceptWrites").firstIndex).toBe(3);
    expect(the(writing(node, { leaderTerm: 1, membershipLogId: id(0, 0) }), "acceptWrites").firstIndex).toBe(
      4,
    );
  });

  test("is refused when another term has begun", () => {
    const node = elected({ vote: { term: 4 } });
    expect(writing(node, { leaderTerm: 4, membershipLogId: id(0, 0) })).toEqual([
      { type: "refuseWrites", refusal: { code: "preconditionFailed", found: "the leader's term is 5" } },
    ]);
    expect(node.state.log.last.index).toBe(1);
  });

  test("is refused when the membership has changed, committed or not", () => {
    const node = elected();
    node.change(1, { type: "replaceVoters", ids: [1, 2] });
    expect(the(writing(node, { leaderTerm: 1, membershipLogId: id(0, 0) }), "refuseWrites").refusal).toEqual({
      code: "preconditionFailed",
      found: "the membership in force is that of entry 1-2",
    });
    expect(the(writing(node, { membershipLogId: id(1, 2) }), "acceptWrites").firstIndex).toBe(3);
  });

  test("hears first that this node does not lead at all", () => {
    expect(the(writing(new TestEngine(), { leaderTerm: 9 }), "refuseWrites").refusal.code).toBe("notLeader");
  });
});

describe("who does not lead", () => {
  test("refuses and appends nothing: the write was certainly not made", () => {
    const node = new TestEngine();
    expect(node.write("a")).toEqual([
      { type: "refuseWrites", refusal: { code: "notLeader", leaderId: null } },
    ]);
    expect(node.state.log.last.index).toBe(0);
  });

  test("names the leader when it knows one", () => {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(node.write("a")).toEqual([{ type: "refuseWrites", refusal: { code: "notLeader", leaderId: 3 } }]);
  });

  test("as candidate knows none", () => {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    node.step({ type: "elect" });
    expect(node.write("a")).toEqual([
      { type: "refuseWrites", refusal: { code: "notLeader", leaderId: null } },
    ]);
  });

  test("because its quorum is gone says so", () => {
    const node = elected();
    node.pass(300);
    expect(node.write("a")).toEqual([{ type: "refuseWrites", refusal: { code: "quorumNotEnough" } }]);
  });
});
