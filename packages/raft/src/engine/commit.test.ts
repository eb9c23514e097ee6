import { describe, expect, test } from "vitest";
import {
  elect,
  elected,
  id,
  makeContext,
  memberships,
  sentTo,
  the,
  voters,
} from "../../test/engine-harness.js";
import { commitByLeader, dispatchApply, noteApplied } from "./commit.js";

describe("a leader commits", () => {
  test("what a majority has made durable, its own disk included", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.write("a");
    expect(node.accept(sentTo(out, 2))).not.toContainEqual(expect.objectContaining({ type: "apply" }));
    node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(1);
    node.persist();
    expect(node.state.committed.index).toBe(2);
  });

  test("without its own disk when enough others have the entry, but applies it only when it is durable here too", () => {
    const node = elected();
    const out = node.write("a");
    node.accept(sentTo(out, 2));
    const committed = node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(2);
    expect(committed.filter(({ type }) => type === "apply")).toEqual([]);
    expect(the(node.persist(), "apply")).toEqual({ type: "apply", since: 2, upto: 2 });
  });

  test("no entry of an earlier term by counting copies; it commits with the first entry of its own (figure 8)", () => {
    const { node, won } = elect({ terms: [1, 2, 2], vote: { term: 3 } });
    node.persist();
    expect(node.state.committed.index).toBe(0);
    const copied = node.answer(sentTo(won, 2), { type: "success", matchIndex: 3 });
    expect(node.progress(2).matchIndex).toBe(3);
    expect(node.state.committed.index).toBe(0);
    node.accept(sentTo(copied, 2));
    expect(node.state.committed).toEqual(id(4, 4));
  });

  test("without counting learners", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    const out = node.write("a");
    node.persist();
    node.accept(sentTo(out, 4));
    node.accept(sentTo(out, 5));
    expect(node.state.committed.index).toBe(1);
    node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(2);
  });

  test("while joint only what majorities of both sets have (section 6)", () => {
    for (const [first, second, third] of [
      [2, 3, 4],
      [4, 5, 2],
    ] as const) {
      const node = elected({ membership: memberships([[1, 2, 3]], 5) });
      const out = node.change(1, { type: "replaceVoters", ids: [1, 4, 5] });
      node.persist();
      node.accept(sentTo(out, first));
      node.accept(sentTo(out, second));
      expect(node.state.committed.index).toBe(1);
      node.accept(sentTo(out, third));
      expect(node.state.committed.index).toBe(2);
    }
  });

  test("and keeps a hint of it for the next start", () => {
    const node = elected({ membership: voters(1) });
    node.write("a");
    expect(node.persist()).toEqual([
      { type: "saveCommitted", committed: id(1, 2) },
      { type: "apply", since: 2, upto: 2 },
    ]);
  });
});

describe("a follower commits", () => {
  test("what the leader has committed, as far as its log is known to equal the leader's", () => {
    const ctx = makeContext({ terms: [1, 1, 1, 1] });
    commitByLeader(ctx, 9, 2);
    expect(ctx.state.committed).toEqual(id(1, 2));
    commitByLeader(ctx, 3, 4);
    expect(ctx.state.committed).toEqual(id(1, 3));
  });

  test("never backwards, when an older message says less", () => {
    const ctx = makeContext({ terms: [1, 1, 1], committed: 3 });
    commitByLeader(ctx, 1, 3);
    commitByLeader(ctx, 3, 1);
    expect(ctx.state.committed.index).toBe(3);
    expect(ctx.out).toEqual([]);
  });

  test("a membership, and forgets those before it", () => {
    const ctx = makeContext({ terms: [1, 1, 1] });
    ctx.state.memberships.push({ logId: id(1, 2), membership: voters(1, 2) });
    commitByLeader(ctx, 1, 3);
    expect(ctx.state.memberships).toHaveLength(2);
    commitByLeader(ctx, 2, 3);
    expect(ctx.state.memberships.map(({ logId }) => logId)).toEqual([id(1, 2)]);
  });
});

describe("the state machine", () => {
  test("gets what is committed and durable here, each entry once", () => {
    const ctx = makeContext({ terms: [1, 1, 1, 1], committed: 3 });
    ctx.state.io.durableIndex = 2;
    dispatchApply(ctx);
    dispatchApply(ctx);
    ctx.state.io.durableIndex = 4;
    dispatchApply(ctx);
    expect(ctx.out).toEqual([
      { type: "apply", since: 1, upto: 2 },
      { type: "apply", since: 3, upto: 3 },
    ]);
  });

  test("may report what it was asked for, in order, and nothing else", () => {
    const ctx = makeContext({ terms: [1, 1, 1], committed: 3 });
    dispatchApply(ctx);
    noteApplied(ctx, id(1, 2));
    expect(ctx.state.applied).toEqual(id(1, 2));
    expect(() => noteApplied(ctx, id(1, 2))).toThrow("applied 2 is not between 2 and 3");
    expect(() => noteApplied(ctx, id(1, 4))).toThrow("applied 4 is not between 2 and 3");
  });
});
