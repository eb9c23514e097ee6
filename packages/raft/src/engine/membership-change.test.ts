import type { NodeId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elect,
  elected,
  flow,
  id,
  makeContext,
  members,
  membershipEntry,
  memberships,
  only,
  sentTo,
  the,
} from "../../test/engine-harness.js";
import type { Command } from "./command.js";
import { advanceMembership } from "./membership-change.js";
import { becomeLeader } from "./role.js";

/** Node 1 leads voters 1 to 3; 4 and 5 are learners that have the log. */
function leader(options: Parameters<typeof elected>[0] = {}): TestEngine {
  return elected({ membership: memberships([[1, 2, 3]], 5), ...options });
}

function appended(commands: readonly Command[]): readonly (readonly NodeId[])[][] {
  return only(commands, "append").flatMap(({ entries }) =>
    entries.flatMap(({ payload }) =>
      payload.type === "membership" ? [payload.membership.configs.slice()] : [],
    ),
  );
}

function inForce(node: TestEngine) {
  return node.state.memberships.at(-1)?.membership;
}

describe("a change of the voters", () => {
  test("goes through a joint membership, which acts at once and is left once it is committed", () => {
    const node = leader();
    const out = node.change(7, { type: "replaceVoters", ids: [3, 4, 5] });
    expect(appended(out)).toEqual([
      [
        [1, 2, 3],
        [3, 4, 5],
      ],
    ]);
    expect(inForce(node)?.leaving).toEqual([1, 2]);
    expect(node.leader.change?.logId).toEqual(id(1, 2));
    node.persist();
    node.accept(sentTo(out, 3));
    node.accept(sentTo(out, 2));
    expect(node.state.committed.index).toBe(1);
    const left = node.accept(sentTo(out, 4));
    expect(node.state.committed.index).toBe(2);
    expect(appended(left)).toEqual([[[3, 4, 5]]]);
    expect(only(left, "membershipChanged")).toEqual([]);
    expect(node.leader.change?.logId).toEqual(id(1, 3));
  });

  test("is told once the membership after the joint one is committed, with it and its entry", () => {
    const node = leader();
    const all = flow(node, node.change(7, { type: "replaceVoters", ids: [1, 4, 5] }));
    expect(only(all, "membershipChanged")).toEqual([
      { type: "membershipChanged", requestId: 7, logId: id(1, 3), membership: members(1, 4, 5) },
    ]);
    expect(node.state.committed).toEqual(id(1, 3));
    expect(node.leader.change).toBeNull();
    expect([...node.leader.progress.keys()]).toEqual([4, 5]);
  });

  test("needs the new majority alone for its last entry", () => {
    const node = leader();
    const out = node.change(7, { type: "replaceVoters", ids: [1, 4, 5] });
    node.persist();
    node.accept(sentTo(out, 4));
    const last = node.accept(sentTo(out, 2));
    node.persist();
    for (const peer of [2, 3]) node.accept(sentTo(out, peer));
    node.accept(sentTo(last, 2));
    expect(node.state.committed.index).toBe(2);
    node.accept(sentTo(last, 4));
    expect(node.state.committed.index).toBe(3);
  });

  test("goes on by itself over a node that is a quorum alone", () => {
    const node = elected({ membership: memberships([[1]], 2) });
    const all = flow(node, node.change(7, { type: "addVoters", ids: [2] }));
    expect(appended(all)).toEqual([[[1], [1, 2]], [[1, 2]]]);
    expect(node.state.committed).toEqual(id(1, 3));
  });

  test("has the writes of before and after it committed by whom it says", () => {
    const node = leader();
    const write = node.write("a");
    node.change(7, { type: "replaceVoters", ids: [1, 4, 5] });
    node.persist();
    node.accept(sentTo(write, 2));
    expect(node.state.committed.index).toBe(1);
  });
});

describe("a change that leaves the voters as they are", () => {
  test("is one entry", () => {
    const node = leader();
    const all = flow(node, node.change(7, { type: "addNodes", nodes: [[6, { addr: "n6" }]] }));
    expect(appended(all)).toEqual([[[1, 2, 3]]]);
    expect(the(all, "membershipChanged")).toMatchObject({ requestId: 7, logId: id(1, 2) });
  });

  test("brings the log to a new learner from the start", () => {
    const node = leader();
    const out = node.change(7, { type: "addNodes", nodes: [[6, { addr: "n6" }]] });
    expect(sentTo(out, 6)).toMatchObject({ prevLogId: id(1, 2), upto: 2 });
    const back = sentTo(node.answer(sentTo(out, 6), { type: "conflict", hint: id(0, 0) }), 6);
    expect(back).toMatchObject({ prevLogId: id(0, 0), upto: 2 });
  });

  test("ends the replication to a learner that is removed, once it is committed", () => {
    const node = leader();
    const out = node.change(7, { type: "removeNodes", ids: [5] });
    expect(node.leader.progress.has(5)).toBe(true);
    flow(node, out);
    expect(node.leader.progress.has(5)).toBe(false);
  });
});

describe("the voters that remain", () => {
  /** Voters that `silent` is one of, which has not answered for the longest election timeout. */
  function withSilent(silent: NodeId, ...ids: readonly NodeId[]): TestEngine {
    const node = elected({ membership: memberships([ids], 5) });
    for (let waited = 0; waited < 300; waited += 50) flow(node, node.pass(50), (peer) => peer !== silent);
    return node;
  }

  test("must be able to decide: one that is needed and does not answer is named, and nothing is appended", () => {
    const node = withSilent(3, 1, 2, 3);
    const refused = { code: "learnerLagging", nodeId: 3, matchIndex: 1, lastIndex: 1 };
    for (const change of [
      { type: "replaceVoters", ids: [1, 3] },
      { type: "removeVoters", ids: [2] },
      { type: "replaceVoters", ids: [3, 4] },
      { type: "replaceVoters", ids: [2, 3] },
    ] as const) {
      const out = node.change(7, change);
      expect(out).toEqual([{ type: "reply", requestId: 7, refusal: refused, afterIo: 0 }]);
    }
    expect(node.leader.change).toBeNull();
    expect(
      only(node.change(8, { type: "removeVoters", ids: [2] }, { allowLagging: true }), "append"),
    ).toHaveLength(1);
  });

  test("may have some among them that do not answer, as long as the others decide", () => {
    for (const ids of [[1, 2], [1], [1, 2, 3, 4], [2, 3, 4]]) {
      const node = withSilent(3, 1, 2, 3);
      expect(only(node.change(7, { type: "replaceVoters", ids }), "append"), ids.join()).toHaveLength(1);
    }
    const five = withSilent(3, 1, 2, 3, 4, 5);
    expect(only(five.change(7, { type: "removeVoters", ids: [4] }), "append")).toHaveLength(1);
  });

  test("are not asked where they stay the same: a silent voter is given another address", () => {
    const node = withSilent(3, 1, 2, 3);
    flow(node, node.pass(0), (peer) => peer !== 2);
    expect(only(node.change(7, { type: "setNodes", nodes: [[3, { addr: "n3" }]] }), "append")).toHaveLength(
      1,
    );
  });

  test("must have the log as well as answer", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    const held = [3].map((peer) => sentTo(node.write("a"), peer));
    for (const data of "bcd") flow(node, node.write(data), (peer) => peer !== 3);
    expect(held).toHaveLength(1);
    expect(the(node.change(7, { type: "removeVoters", ids: [2] }), "reply").refusal).toMatchObject({
      code: "learnerLagging",
      nodeId: 3,
      matchIndex: 1,
    });
  });
});

describe("a node that is to vote", () => {
  test("has to answer: one that was not heard from for the longest election timeout is refused", () => {
    const node = leader();
    for (let waited = 0; waited < 300; waited += 50) flow(node, node.pass(50), (peer) => peer !== 4);
    const refused = { code: "learnerLagging", nodeId: 4, matchIndex: 1, lastIndex: 1 };
    expect(node.change(7, { type: "addVoters", ids: [4] })).toEqual([
      { type: "reply", requestId: 7, refusal: refused, afterIo: 0 },
    ]);
    expect(node.leader.change).toBeNull();
    expect(only(node.change(8, { type: "addVoters", ids: [5] }), "append")).toHaveLength(1);
  });

  test("that answered just before that is let in", () => {
    const node = leader();
    for (let waited = 0; waited < 250; waited += 50) flow(node, node.pass(50), (peer) => peer !== 4);
    node.now += 49;
    expect(only(node.change(7, { type: "addVoters", ids: [4] }), "append")).toHaveLength(1);
  });

  test("has to have the log, but for as many entries as is configured", () => {
    const node = leader();
    flow(node, node.write("a", "b"), (peer) => peer !== 4);
    node.accept(sentTo(node.pass(50), 4));
    expect(only(node.change(7, { type: "addVoters", ids: [4] }), "append")).toHaveLength(1);
    const behind = leader();
    flow(behind, behind.write("a", "b", "c"), (peer) => peer !== 4);
    behind.accept(sentTo(behind.pass(50), 4));
    expect(the(behind.change(7, { type: "addVoters", ids: [4] }), "reply").refusal).toEqual({
      code: "learnerLagging",
      nodeId: 4,
      matchIndex: 1,
      lastIndex: 4,
    });
  });

  test("is not known to have anything before it has answered, be the log ever so short", () => {
    const node = leader();
    flow(node, node.change(6, { type: "addNodes", nodes: [[6, { addr: "n6" }]] }), (peer) => peer < 6);
    node.answer(sentTo(node.pass(50), 6), { type: "conflict", hint: id(0, 0) });
    expect(the(node.change(7, { type: "addVoters", ids: [6] }), "reply").refusal).toMatchObject({
      code: "learnerLagging",
      nodeId: 6,
      matchIndex: 0,
    });
  });

  test("and is a stranger until now is refused, learner in the same change or not", () => {
    const node = leader();
    const change = {
      type: "batch",
      changes: [
        { type: "addNodes", nodes: [[6, { addr: "n6" }]] },
        { type: "addVoters", ids: [6] },
      ],
    } as const;
    expect(the(node.change(7, change), "reply").refusal).toMatchObject({ code: "learnerLagging", nodeId: 6 });
  });

  test("may be let in whatever it lacks, where that is asked for", () => {
    const node = leader();
    for (let waited = 0; waited < 300; waited += 50) flow(node, node.pass(50), (peer) => peer < 4);
    const out = node.change(7, { type: "addVoters", ids: [4, 5] }, { allowLagging: true });
    expect(appended(out)).toEqual([
      [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
      ],
    ]);
  });

  test("is not asked of those that vote already, dead or alive: one can be replaced", () => {
    const node = leader();
    for (let waited = 0; waited < 400; waited += 50) flow(node, node.pass(50), (peer) => peer !== 2);
    const out = node.change(7, {
      type: "batch",
      changes: [
        { type: "removeVoters", ids: [3] },
        { type: "addVoters", ids: [4] },
      ],
    });
    expect(appended(out)).toEqual([
      [
        [1, 2, 3],
        [1, 2, 4],
      ],
    ]);
  });
});

describe("a change that cannot be is refused, and nothing is appended", () => {
  test("because it leads nowhere", () => {
    const node = leader();
    const out = node.change(7, { type: "replaceVoters", ids: [] });
    expect(out).toEqual([
      {
        type: "reply",
        requestId: 7,
        refusal: { code: "invalidChange", problem: "no voter would be left" },
        afterIo: 0,
      },
    ]);
    expect(node.leader.change).toBeNull();
    expect(node.state.log.last.index).toBe(1);
  });

  test("because something else was expected", () => {
    const node = leader();
    flow(node, node.change(6, { type: "addNodes", nodes: [[6, { addr: "n6" }]] }));
    const change = { type: "removeVoters", ids: [3] } as const;
    const refused = the(node.change(7, change, { expect: { membershipLogId: id(0, 0) } }), "reply");
    expect(refused.refusal).toEqual({
      code: "preconditionFailed",
      found: "the membership in force is that of entry 1-2",
    });
    const out = node.change(8, change, { expect: { membershipLogId: id(1, 2), leaderTerm: 1 } });
    expect(only(out, "append")).toHaveLength(1);
  });
});

describe("a joint membership that a leader finds in its log", () => {
  const joint = memberships(
    [
      [1, 2, 3],
      [1, 4, 5],
    ],
    5,
    { leaving: [2, 3] },
  );

  function found(): { node: TestEngine; won: Command[] } {
    const node = new TestEngine({ membership: memberships([[1, 2, 3]], 5), vote: { term: 1 } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: [membershipEntry(id(1, 1), joint)] });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 2, true);
    const won = node.voteResponse(4, 2, true);
    return { node, won };
  }

  test("is left, although nobody asks, once its own first entry is committed, and not when a copy of it is everywhere", () => {
    const { node, won } = found();
    node.persist();
    for (const peer of [2, 3, 4, 5]) {
      const out = node.answer(sentTo(won, peer), { type: "conflict", hint: id(1, 1) });
      node.answer(sentTo(out, peer), { type: "success", matchIndex: 1 });
    }
    expect(node.state.log.last).toEqual(id(2, 2));
    expect(node.state.committed.index).toBe(0);
    const all = flow(node, node.pass(100));
    expect(appended(all)).toEqual([[[1, 4, 5]]]);
    expect(only(all, "membershipChanged")).toEqual([]);
    expect([...(inForce(node)?.nodes.keys() ?? [])]).toEqual([1, 4, 5]);
  });

  test("is left before the change that waits begins", () => {
    const { node, won } = found();
    node.change(7, { type: "removeVoters", ids: [5] });
    expect(node.leader.change?.logId).toBeNull();
    const all = flow(node, won);
    expect(appended(all)).toEqual([
      [[1, 4, 5]],
      [
        [1, 4, 5],
        [1, 4],
      ],
      [[1, 4]],
    ]);
    expect(the(all, "membershipChanged")).toMatchObject({ requestId: 7, logId: id(2, 5) });
  });
});

test("nothing follows on a membership that is not committed, or before the leader's own first entry is", () => {
  const joint = memberships(
    [
      [1, 2, 3],
      [1, 4, 5],
    ],
    5,
  );
  for (const [firstIndex, committed, appends] of [
    [1, 1, 0],
    [3, 2, 0],
    [2, 2, 1],
  ] as const) {
    const ctx = makeContext({ terms: [1, 1], membership: memberships([[1, 2, 3]], 5) });
    const role = { ...becomeLeader(ctx), firstIndex };
    ctx.state.role = role;
    ctx.state.memberships.push({ logId: id(1, 2), membership: joint });
    ctx.state.committed = id(1, committed);
    advanceMembership(ctx, role);
    expect(only(ctx.out, "append")).toHaveLength(appends);
    expect(ctx.state.role).toBe(role);
  }
});

describe("a leader that is no voter any more", () => {
  test("leads until that is committed, without its own disk, and tells who waits", () => {
    const node = leader();
    const joint = node.change(7, { type: "removeVoters", ids: [1] });
    const all = flow(node, joint, (peer) => peer === 2);
    expect(only(all, "membershipChanged")).toEqual([]);
    expect(node.state.log.last.index).toBe(2);
    const last = node.accept(sentTo(joint, 3));
    flow(node, last, (peer) => peer === 2);
    expect(node.role).toBe("leader");
    const done = node.accept(sentTo(last, 3));
    expect(the(done, "membershipChanged")).toMatchObject({ requestId: 7, logId: id(1, 3) });
    expect(node.state.role).toEqual({ type: "learner", leaderId: null });
    expect(the(done, "apply").upto).toBe(3);
  });

  test("asks the voter that has most of the log to take over, though it writes on: what is committed is all that one needs", () => {
    const node = leader();
    const joint = node.change(7, { type: "removeVoters", ids: [1] });
    node.persist();
    node.accept(sentTo(joint, 2));
    const last = node.accept(sentTo(joint, 3));
    const write = node.write("a");
    node.accept(sentTo(last, 2));
    node.accept(sentTo(last, 2));
    node.accept(sentTo(write, 2));
    const out = node.accept(sentTo(last, 3));
    expect(only(out, "sendTimeoutNow")).toEqual([
      { type: "sendTimeoutNow", to: 2, request: { term: 1, leaderId: 1, lastLogId: id(1, 3) } },
    ]);
    expect(the(out, "abandonWrites").since).toBe(4);
    expect(node.role).toBe("learner");
  });

  test("steps down as well when it stays as a learner", () => {
    const node = leader();
    flow(node, node.change(7, { type: "removeVoters", ids: [1] }, { retain: true }));
    expect(node.role).toBe("learner");
    expect([...(inForce(node)?.nodes.keys() ?? [])]).toEqual([1, 2, 3, 4, 5]);
  });

  test("asks nobody where nobody has answered for long, and steps down all the same", () => {
    for (const [late, asked] of [
      [299, 1],
      [300, 0],
    ] as const) {
      const node = leader();
      const joint = node.change(7, { type: "replaceVoters", ids: [2] });
      node.persist();
      node.accept(sentTo(joint, 3));
      const last = sentTo(node.accept(sentTo(joint, 2)), 2);
      node.now += late;
      const out = node.accept(last);
      expect(only(out, "sendTimeoutNow")).toHaveLength(asked);
      expect(node.role).toBe("learner");
    }
  });

  test("refuses the change that waits, and the reads", () => {
    const { node, won } = elect({
      membership: memberships([[1, 2, 3]], 3),
      terms: [1],
      memberships: [
        { logId: id(0, 0), membership: members(1, 2, 3) },
        {
          logId: id(1, 1),
          membership: memberships(
            [
              [1, 2, 3],
              [2, 3],
            ],
            3,
            { leaving: [1] },
          ),
        },
      ],
    });
    node.change(7, { type: "removeVoters", ids: [2] });
    const all = flow(node, won);
    expect(the(all, "reply")).toMatchObject({ requestId: 7, refusal: { code: "notLeader", leaderId: null } });
    expect(only(all, "abandonChange")).toEqual([]);
    expect(node.role).toBe("learner");
  });
});

describe("who stops leading does not know what becomes of its change", () => {
  test("that was begun", () => {
    const node = leader();
    node.change(7, { type: "removeVoters", ids: [3] });
    const out = node.append({ term: 2, leaderId: 2, prevLogId: id(1, 1) });
    expect(only(out, "abandonChange")).toEqual([{ type: "abandonChange", requestId: 7 }]);
    expect(only(out, "reply")).toEqual([]);
  });

  test("and it is not told twice, nor by a later leadership of the same node", () => {
    const node = leader();
    node.change(7, { type: "addNodes", nodes: [[6, { addr: "n6" }]] });
    node.persist();
    const said = node.append({ term: 2, leaderId: 2, prevLogId: id(1, 2) });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 3, true);
    said.push(...flow(node, node.pass(50)));
    expect(node.state.committed).toEqual(id(3, 3));
    expect(only(said, "abandonChange")).toHaveLength(1);
    expect(only(said, "membershipChanged")).toEqual([]);
  });
});

describe("the stores that voters vote from", () => {
  const store = (peer: NodeId): number => 10 + peer;

  test("are noted once all have answered, in one entry", () => {
    const { node, won } = elect({ incarnation: 11 });
    const all = flow(node, won, () => true, store);
    expect(appended(all)).toEqual([[[1, 2, 3]]]);
    expect([...(inForce(node)?.incarnations ?? [])]).toEqual([
      [1, 11],
      [2, 12],
      [3, 13],
    ]);
    for (let i = 0; i < 20; i++) all.push(...flow(node, node.pass(50), () => true, store));
    expect(appended(all)).toHaveLength(1);
  });

  test("are waited for, but not for ever: who was not heard from is noted when it is", () => {
    const { node, won } = elect({ incarnation: 11 });
    const all = flow(node, won, (peer) => peer === 2, store);
    while (node.now < 1299) {
      node.now = Math.min(node.now + 50, 1299);
      all.push(...flow(node, node.pass(0), (peer) => peer === 2, store));
    }
    expect(appended(all)).toEqual([]);
    node.now = 1300;
    flow(node, node.write("a"), (peer) => peer === 2, store);
    expect([...(inForce(node)?.incarnations ?? [])]).toEqual([
      [1, 11],
      [2, 12],
    ]);
    for (let i = 0; i < 20; i++) flow(node, node.pass(50), (peer) => peer === 2, store);
    const { index } = node.state.log.last;
    expect(index).toBe(3);
    flow(node, node.pass(50), () => true, store);
    expect(node.state.log.last.index).toBe(index + 1);
    expect(inForce(node)?.incarnations.get(3)).toBe(13);
  });

  test("are not noted in a joint membership, nor before the leader's own term is committed, nor beside a change or a transfer", () => {
    const { node, won } = elect({ incarnation: 11, membership: memberships([[1, 2, 3]], 4) });
    node.accept(sentTo(won, 2), 12);
    node.accept(sentTo(won, 3), 13);
    expect(node.state.memberships).toHaveLength(2);
    const other = elected({ incarnation: 11, membership: memberships([[1, 2, 3]], 4) });
    other.change(7, { type: "replaceVoters", ids: [1, 2, 4] });
    other.now += 290;
    const asked = other.pass(0);
    for (const peer of [2, 3, 4]) other.accept(sentTo(asked, peer), store(peer));
    expect(other.state.memberships).toHaveLength(2);
    const third = elected({ incarnation: 11 });
    third.write("a");
    third.transferLeader(8, 3);
    const beats = third.pass(50);
    for (const peer of [2, 3]) third.accept(sentTo(beats, peer), store(peer));
    expect(third.state.memberships).toHaveLength(1);
  });

  test("go with the voters: a change notes those that are known, and forgets who votes no more", () => {
    const { node, won } = elect({ incarnation: 11, membership: memberships([[1, 2, 3]], 4) });
    flow(node, won, () => true, store);
    const out = node.change(7, { type: "replaceVoters", ids: [1, 2, 4] });
    expect([...(inForce(node)?.incarnations ?? [])]).toEqual([
      [1, 11],
      [2, 12],
      [3, 13],
      [4, 14],
    ]);
    flow(node, out, () => true, store);
    expect([...(inForce(node)?.incarnations ?? [])]).toEqual([
      [1, 11],
      [2, 12],
      [4, 14],
    ]);
  });

  test("stand as they are noted, whatever answers later", () => {
    const { node, won } = elect({ incarnation: 11, membership: memberships([[1, 2, 3]], 4) });
    flow(node, won, () => true, store);
    flow(
      node,
      node.pass(50),
      () => true,
      (peer) => (peer === 3 ? 99 : store(peer)),
    );
    flow(node, node.change(7, { type: "addVoters", ids: [4] }), () => true, store);
    expect(inForce(node)?.incarnations.get(3)).toBe(13);
  });

  test("are nothing where stores are not told apart", () => {
    const { node, won } = elect();
    const all = flow(node, won, () => true, store);
    for (let i = 0; i < 20; i++) all.push(...flow(node, node.pass(50), () => true, store));
    expect(appended(all)).toEqual([]);
  });
});
