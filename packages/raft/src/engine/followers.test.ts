import { describe, expect, test } from "vitest";
import {
  elected,
  flow,
  id,
  makeContext,
  members,
  memberships,
  only,
  sentTo,
  voters,
} from "../../test/engine-harness.js";
import type { TestEngine } from "../../test/engine-harness.js";
import { followerOf, pauseFollower, syncFollowers } from "./followers.js";
import { adoptMembership, membershipOf } from "./membership-state.js";
import { becomeLeader } from "./role.js";

describe("the followers of a leader", () => {
  test("are all other members, learners too", () => {
    const ctx = makeContext({ membership: memberships([[1, 2]], 4) });
    expect([...becomeLeader(ctx).progress.keys()]).toEqual([2, 3, 4]);
  });

  test("are those of every membership that may come back or is still to be learned of", () => {
    const ctx = makeContext({ membership: voters(1, 2, 3), terms: [1, 1, 1] });
    const role = becomeLeader(ctx);
    adoptMembership(ctx.state, { logId: id(1, 3), membership: members(1, 4) });
    syncFollowers(ctx, role, voters(1, 2, 3));
    expect([...role.progress.keys()]).toEqual([2, 3, 4]);
    ctx.state.memberships.shift();
    syncFollowers(ctx, role, membershipOf(ctx.state));
    expect([...role.progress.keys()]).toEqual([4]);
  });

  test("keep what is known of them; a new one is probed where the log ends, and counted from now", () => {
    const ctx = makeContext({ membership: voters(1, 2), terms: [1, 1, 1] });
    const role = becomeLeader(ctx);
    const known = role.progress.get(2);
    ctx.now += 100;
    adoptMembership(ctx.state, { logId: id(1, 3), membership: memberships([[1, 2]], 3) });
    syncFollowers(ctx, role, voters(1, 2));
    expect(role.progress.get(2)).toBe(known);
    expect(known?.countedSince).toBe(1000);
    expect(role.progress.get(3)).toMatchObject({ matchIndex: 0, nextIndex: 4, countedSince: 1100 });
  });

  test("are counted anew when they begin to vote, and only then", () => {
    const ctx = makeContext({ membership: memberships([[1, 2]], 3), terms: [1, 1, 1] });
    const role = becomeLeader(ctx);
    ctx.now += 100;
    adoptMembership(ctx.state, { logId: id(1, 3), membership: voters(1, 2, 3) });
    syncFollowers(ctx, role, memberships([[1, 2]], 3));
    expect(role.progress.get(2)?.countedSince).toBe(1000);
    expect(role.progress.get(3)?.countedSince).toBe(1100);
    ctx.now += 100;
    syncFollowers(ctx, role, voters(1, 2, 3));
    expect(role.progress.get(3)?.countedSince).toBe(1100);
  });
});

describe("an answer is from a follower", () => {
  test("of this leader, in this term", () => {
    const ctx = makeContext({ vote: { term: 3 } });
    expect(followerOf(ctx, 2, 3)).toBeUndefined();
    const role = becomeLeader(ctx);
    expect(followerOf(ctx, 2, 3)).toEqual({ role, progress: role.progress.get(2) });
    expect(followerOf(ctx, 2, 2)).toBeUndefined();
    expect(followerOf(ctx, 9, 3)).toBeUndefined();
  });
});

test("a pause is as long as is configured", () => {
  const ctx = makeContext();
  const role = becomeLeader(ctx);
  const progress = role.progress.get(2);
  if (progress === undefined) throw new Error("not followed");
  for (const pause of [20, 40, 80, 100]) {
    pauseFollower(ctx, role, progress);
    expect(progress.retryAt).toBe(ctx.now + pause);
  }
});

describe("a store is known", () => {
  /** Node 1 leads voters that are bound to the stores 11, 12, 13, and learner 4, which answered from store 14. */
  function bound(): TestEngine {
    const incarnations = new Map([
      [1, 11],
      [2, 12],
      [3, 13],
    ]);
    const node = elected({ incarnation: 11, membership: memberships([[1, 2, 3]], 4, { incarnations }) });
    flow(
      node,
      node.write("a"),
      () => true,
      (peer) => 10 + peer,
    );
    expect(node.progress(4)).toMatchObject({ matchIndex: 2, incarnation: 14 });
    return node;
  }

  test("by the membership: what a voter says from another store counts for nothing, and it is left alone for a while", () => {
    const node = bound();
    const { ackedSentAt } = node.progress(2);
    node.now += 10;
    const out = node.write("b");
    expect(node.accept(sentTo(out, 2), 99)).toEqual([]);
    expect(node.progress(2)).toMatchObject({
      matchIndex: 2,
      ackedSentAt,
      retryAt: node.now + 20,
      incarnation: 12,
    });
    node.persist();
    expect(node.state.committed.index).toBe(2);
    node.accept(sentTo(out, 3), 13);
    expect(node.state.committed.index).toBe(3);
  });

  test("also while it is joint, for voters of either set", () => {
    const node = bound();
    const out = node.change(1, { type: "replaceVoters", ids: [1, 4] });
    node.persist();
    node.accept(sentTo(out, 2), 12);
    node.accept(sentTo(out, 4), 99);
    expect(node.state.committed.index).toBe(2);
    expect(node.progress(4)).toMatchObject({ matchIndex: 2, mode: "probe", failures: 1 });
    node.now += 50;
    node.accept(sentTo(node.pass(0), 4), 14);
    expect(node.state.committed.index).toBe(3);
  });

  test("by its answers, for a learner: one that lost its store begins anew", () => {
    const node = bound();
    const out = node.write("b");
    const again = sentTo(node.accept(sentTo(out, 4), 99), 4);
    expect(node.progress(4)).toMatchObject({ matchIndex: 0, nextIndex: 4, incarnation: 0 });
    node.accept(again, 99);
    expect(node.progress(4)).toMatchObject({ matchIndex: 3, incarnation: 99 });
  });

  test("by its answers, for a voter that is not bound yet: another store is not that voter", () => {
    const node = elected();
    node.accept(sentTo(node.pass(50), 2), 12);
    const out = node.write("a");
    node.persist();
    node.accept(sentTo(out, 2), 99);
    expect(node.state.committed.index).toBe(1);
    expect(node.progress(2)).toMatchObject({ matchIndex: 1, incarnation: 12 });
  });

  test("as any, where stores are not told apart", () => {
    const node = bound();
    const out = node.write("b");
    node.persist();
    node.accept(sentTo(out, 2), 0);
    expect(node.state.committed.index).toBe(3);
    expect(node.progress(2).incarnation).toBe(12);
  });

  test("before what it says does: a conflict from another store moves nothing", () => {
    const node = bound();
    const out = node.answer(sentTo(node.write("b"), 3), { type: "conflict", hint: id(0, 0) }, 99);
    expect(only(out, "sendAppendEntries")).toEqual([]);
    expect(node.progress(3)).toMatchObject({ matchIndex: 2, nextIndex: 3 });
  });
});
