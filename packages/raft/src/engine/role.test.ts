import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elected,
  id,
  makeContext,
  memberships,
  snapshotMeta,
  the,
  voters,
} from "../../test/engine-harness.js";
import { adoptMembership, commitMemberships } from "./membership-state.js";
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  followLeader,
  hasLiveLeader,
  knownLeader,
  loseQuorum,
  mayStand,
  reconcileRole,
  refusal,
  resetElectionTimer,
  standDown,
} from "./role.js";

describe("the election timeout (section 5.2)", () => {
  test("is drawn anew each time, from the least to below the most", () => {
    const ctx = makeContext({ random: [0, 0.5, 0.999] });
    const drawn = [0, 1, 2].map(() => {
      resetElectionTimer(ctx);
      return ctx.state.electionDeadline - ctx.now;
    });
    expect(drawn[0]).toBe(150);
    expect(drawn[1]).toBe(225);
    expect(drawn[2]).toBeCloseTo(299.85);
  });

  test("starts again with every candidacy, so that a split vote is not repeated at once", () => {
    for (const become of [
      becomePreCandidate,
      (ctx: ReturnType<typeof makeContext>) => becomeCandidate(ctx, 1),
    ]) {
      const ctx = makeContext();
      ctx.now = 5000;
      become(ctx);
      expect(ctx.state.electionDeadline).toBe(5225);
    }
  });
});

describe("the first election of a life", () => {
  test("is a random time away, as every other", () => {
    expect(new TestEngine().engine.nextDeadline()).toBe(1000 + 225);
  });

  test("is due at once for a sole voter, who has nobody to wait for", () => {
    expect(new TestEngine({ membership: voters(1) }).engine.nextDeadline()).toBe(1000);
  });

  test("is not due at once for a node that the only voter has taken the place of", () => {
    const known = [
      { logId: id(0, 0), membership: voters(1) },
      { logId: id(1, 1), membership: memberships([[2]], 2) },
    ];
    const node = new TestEngine({ terms: [1], memberships: known });
    expect(node.role).toBe("follower");
    expect(node.engine.nextDeadline()).toBe(1000 + 225);
  });

  test("waits, where leases are served, until this node may vote again, and a random time from there; a sole voter too", () => {
    for (const membership of [voters(1, 2, 3), voters(1)]) {
      for (const [random, wait] of [
        [0, 300],
        [0.5, 375],
      ] as const) {
        const node = new TestEngine({ membership, terms: [1], config: { leaseMs: 140 }, random: [random] });
        expect(node.engine.nextDeadline()).toBe(1000 + wait);
        expect(node.state.abstainUntil).toBe(1300);
      }
    }
  });

  test("does not wait in term 0, where no lease can have been promised", () => {
    const founder = new TestEngine({ membership: voters(1), config: { leaseMs: 140 } });
    expect(founder.engine.nextDeadline()).toBe(1000);
    expect(new TestEngine({ config: { leaseMs: 140 } }).engine.nextDeadline()).toBe(1225);
  });
});

describe("a candidate", () => {
  test("counts how often it has asked for pre-votes in a row", () => {
    const ctx = makeContext();
    becomePreCandidate(ctx);
    becomePreCandidate(ctx);
    expect(ctx.state.role).toMatchObject({ attempt: 2 });
    becomeFollower(ctx, null);
    becomePreCandidate(ctx);
    expect(ctx.state.role).toMatchObject({ attempt: 1 });
  });

  test("has its own pre-vote at once, because a pre-vote promises nothing", () => {
    const ctx = makeContext();
    becomePreCandidate(ctx);
    expect(ctx.state.role).toEqual({ type: "preCandidate", granted: new Set([1]), attempt: 1 });
  });

  test("does not have its own vote before that is durable", () => {
    const ctx = makeContext();
    becomeCandidate(ctx, 7);
    expect(ctx.state.role).toEqual({ type: "candidate", granted: new Set(), ownVoteIo: 7 });
  });
});

describe("a new leader", () => {
  test("begins with the entry after its log, and follows every other member, learners too", () => {
    const ctx = makeContext({ terms: [1, 1], membership: memberships([[1, 2]], 3) });
    const role = becomeLeader(ctx);
    expect(role).toMatchObject({ firstIndex: 3, reads: [], round: 0 });
    expect([...role.progress.keys()]).toEqual([2, 3]);
    expect(role.progress.get(3)?.nextIndex).toBe(3);
    expect(ctx.state.role).toBe(role);
  });
});

describe("who steps down", () => {
  test("follows as a voter and learns as anyone else", () => {
    const voter = makeContext({ membership: voters(1, 2) });
    becomeFollower(voter, 2);
    expect(voter.state.role).toEqual({ type: "follower", leaderId: 2 });
    const learner = makeContext({ membership: memberships([[2, 3]], 3) });
    becomeFollower(learner, 2);
    expect(learner.state.role).toEqual({ type: "learner", leaderId: 2 });
  });

  test("as leader: writes after the commit index have an unknown outcome, reads are refused, an election is set", () => {
    const node = elected();
    node.write("a");
    node.read(7);
    node.now += 10_000;
    const out = node.append({ term: 9, leaderId: 2, prevLogId: id(9, 9) });
    expect(out).toContainEqual({ type: "abandonWrites", since: 2 });
    expect(out).toContainEqual({
      type: "refuseReads",
      requestId: 7,
      refusal: { code: "notLeader", leaderId: 2 },
    });
    expect(node.engine.nextDeadline()).toBe(node.now + 225);
  });

  test("because no quorum answers: reads are refused for that reason, and so is everything until a leader is known", () => {
    const node = elected();
    node.write("a");
    const out = [...node.read(7), ...node.pass(300)];
    expect(node.state.role).toEqual({ type: "follower", leaderId: null });
    expect(out).toContainEqual({ type: "abandonWrites", since: 2 });
    expect(the(out, "refuseReads").refusal).toEqual({ code: "quorumNotEnough" });
    expect(refusal(node.state)).toEqual({ code: "quorumNotEnough" });
    node.pass(300);
    expect(node.role).toBe("preCandidate");
    expect(refusal(node.state)).toEqual({ code: "quorumNotEnough" });
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
    expect(refusal(node.state)).toEqual({ code: "notLeader", leaderId: 3 });
    node.step({ type: "elect" });
    expect(refusal(node.state)).toEqual({ code: "notLeader", leaderId: null });
  });

  test("because no quorum answers, and leads again: the old trouble is forgotten", () => {
    const ctx = makeContext();
    becomeLeader(ctx);
    loseQuorum(ctx);
    expect(ctx.state.quorumLost).toBe(true);
    becomeLeader(ctx);
    expect(ctx.state.quorumLost).toBe(false);
  });

  test("as follower: nothing is waiting, so nothing is said", () => {
    const ctx = makeContext();
    becomeFollower(ctx, 2);
    becomeFollower(ctx, 3);
    expect(ctx.out).toEqual([]);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 3 });
  });

  test("as candidate: keeps its deadline, or it would put the election off by losing", () => {
    const ctx = makeContext();
    becomeCandidate(ctx, 1);
    const { electionDeadline } = ctx.state;
    ctx.now += 100;
    becomeFollower(ctx, null);
    expect(ctx.state.electionDeadline).toBe(electionDeadline);
  });
});

test("the leader as far as is known: itself, the one followed, or none during an election", () => {
  const ctx = makeContext();
  expect(knownLeader(ctx.state)).toBeNull();
  followLeader(ctx, 3);
  expect(knownLeader(ctx.state)).toBe(3);
  becomePreCandidate(ctx);
  expect(knownLeader(ctx.state)).toBeNull();
  becomeCandidate(ctx, 1);
  expect(knownLeader(ctx.state)).toBeNull();
  becomeLeader(ctx);
  expect(knownLeader(ctx.state)).toBe(1);
});

describe("a leader is alive", () => {
  test("as long as it was heard from less than the least election timeout ago, whatever this node does itself", () => {
    const ctx = makeContext();
    expect(hasLiveLeader(ctx)).toBe(false);
    followLeader(ctx, 3);
    ctx.now += 149;
    becomeCandidate(ctx, 1);
    expect(hasLiveLeader(ctx)).toBe(true);
    ctx.now += 1;
    expect(hasLiveLeader(ctx)).toBe(false);
  });

  test("as long as it is this node itself", () => {
    const ctx = makeContext();
    becomeLeader(ctx);
    ctx.now += 10_000;
    expect(hasLiveLeader(ctx)).toBe(true);
  });
});

describe("when the membership in force changes", () => {
  test("a learner that votes now follows, from the same leader", () => {
    const ctx = makeContext({ membership: memberships([[2, 3]], 3) });
    followLeader(ctx, 2);
    expect(ctx.state.role).toEqual({ type: "learner", leaderId: 2 });
    adoptMembership(ctx.state, { logId: id(1, 2), membership: voters(1, 2, 3) });
    reconcileRole(ctx);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
  });

  test("a follower that is no voter any more learns, once that cannot be undone", () => {
    const ctx = makeContext({ membership: voters(1, 2, 3) });
    followLeader(ctx, 2);
    adoptMembership(ctx.state, { logId: id(1, 1), membership: memberships([[2, 3]], 3) });
    reconcileRole(ctx);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: 2 });
    commitMemberships(ctx.state, 1);
    reconcileRole(ctx);
    expect(ctx.state.role).toEqual({ type: "learner", leaderId: 2 });
  });

  test("a leader goes on leading: it still has to commit the change", () => {
    const ctx = makeContext({ membership: voters(1, 2) });
    const role = becomeLeader(ctx);
    adoptMembership(ctx.state, { logId: id(1, 1), membership: memberships([[2]], 2) });
    reconcileRole(ctx);
    expect(ctx.state.role).toBe(role);
  });
});

describe("a node may stand for election", () => {
  test("where it votes, or did until a membership that is not committed", () => {
    const ctx = makeContext({ membership: voters(1, 2, 3) });
    expect(mayStand(ctx.state)).toBe(true);
    adoptMembership(ctx.state, { logId: id(1, 1), membership: memberships([[2, 3]], 3) });
    expect(mayStand(ctx.state)).toBe(true);
    commitMemberships(ctx.state, 1);
    expect(mayStand(ctx.state)).toBe(false);
  });

  test("not while its storage hangs, nor while a snapshot takes the place of its state", () => {
    const ctx = makeContext();
    ctx.state.stalled = "append";
    expect(mayStand(ctx.state)).toBe(false);
    ctx.state.stalled = null;
    ctx.state.snapshot.installing = snapshotMeta(id(1, 9));
    expect(mayStand(ctx.state)).toBe(false);
  });
});

test("who is to stand down keeps what it knows where it leads nobody and does not stand", () => {
  const ctx = makeContext();
  followLeader(ctx, 3);
  const { role } = ctx.state;
  standDown(ctx);
  expect(ctx.state.role).toBe(role);
  for (const become of [becomePreCandidate, becomeLeader]) {
    become(ctx);
    standDown(ctx);
    expect(ctx.state.role).toEqual({ type: "follower", leaderId: null });
  }
});
