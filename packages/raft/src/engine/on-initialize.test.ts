import { describe, expect, test } from "vitest";
import type { TestEngine } from "../../test/engine-harness.js";
import { elected, entries, id, memberships, newNode, only, the, voters } from "../../test/engine-harness.js";

function initialize(node: TestEngine, membership = voters(1, 2, 3)) {
  return node.step({ type: "initialize", requestId: 5, membership });
}

describe("a new cluster", () => {
  test("begins with its membership as the first entry, in term 0, the same on every founder; then with an election", () => {
    const node = newNode();
    const out = initialize(node);
    expect(out.map(({ type }) => type)).toEqual(["append", "reply", "sendPreVote", "sendPreVote"]);
    expect(the(out, "append").entries).toEqual([
      { logId: id(0, 1), payload: { type: "membership", membership: voters(1, 2, 3) } },
    ]);
    expect(node.state.memberships.at(-1)).toEqual({ logId: id(0, 1), membership: voters(1, 2, 3) });
  });

  test("is answered once the entry is durable", () => {
    const out = initialize(newNode());
    expect(the(out, "reply")).toEqual({ type: "reply", requestId: 5, refusal: null, afterIo: 1 });
  });

  test("of one voter elects it without waiting", () => {
    const node = newNode();
    initialize(node, voters(1));
    expect(node.role).toBe("candidate");
    node.persist();
    expect(node.role).toBe("leader");
    node.persist();
    expect(node.state.committed).toEqual(id(1, 2));
  });
});

describe("a cluster is founded once", () => {
  test("not where there is a log", () => {
    const out = initialize(elected());
    expect(out).toEqual([
      {
        type: "reply",
        requestId: 5,
        refusal: { code: "alreadyInitialized", found: "a log up to 1-1" },
        afterIo: 2 + 1,
      },
    ]);
  });

  test("not where the log was purged", () => {
    const node = newNode({ purged: id(1, 7) });
    expect(the(initialize(node), "reply").refusal).toMatchObject({ code: "alreadyInitialized" });
  });

  test("not where a vote was given or a term seen: a cluster has been here", () => {
    const node = newNode({ vote: { term: 2, votedFor: 3 } });
    expect(the(initialize(node), "reply").refusal).toEqual({
      code: "alreadyInitialized",
      found: "the vote T2:n3",
    });
  });

  test("not where the founding was left to another node (term 0 has one writer); where this node has its own vote, it founds", () => {
    const node = newNode({ vote: { term: 0, votedFor: 3 } });
    expect(the(initialize(node), "reply").refusal).toEqual({
      code: "alreadyInitialized",
      found: "the vote T0:n3",
    });
    expect(node.state.log.last.index).toBe(0);
    expect(the(initialize(newNode({ vote: { term: 0, votedFor: 1 } })), "reply").refusal).toBeNull();
  });

  test("a second time is refused even before the first entry is durable", () => {
    const node = newNode();
    initialize(node);
    const out = initialize(node);
    expect(the(out, "reply")).toMatchObject({ refusal: { code: "alreadyInitialized" }, afterIo: 1 });
    expect(only(out, "append")).toEqual([]);
  });
});

test("a node founds no cluster in which it has no vote", () => {
  const node = newNode();
  for (const membership of [voters(2, 3), memberships([[2, 3]], 3)]) {
    expect(initialize(node, membership)).toEqual([
      { type: "reply", requestId: 5, refusal: { code: "notAMember" }, afterIo: 0 },
    ]);
  }
  expect(node.state.log.last.index).toBe(0);
});

test("a founder whose first entry another leader has sent already is initialized", () => {
  const node = newNode();
  node.append({ term: 1, prevLogId: id(0, 0), entries: entries(1, 0) });
  expect(the(initialize(node), "reply").refusal).toMatchObject({ code: "alreadyInitialized" });
});
