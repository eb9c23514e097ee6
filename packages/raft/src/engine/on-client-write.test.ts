import { describe, expect, test } from "vitest";
import { TestEngine, command, elect, elected, id, sentTo } from "../../test/engine-harness.js";

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
});
