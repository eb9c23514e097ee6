import type { BasicNode, NodeId } from "@seshat/common";
import {
  ChangeInProgressError,
  InvalidChangeError,
  InvalidValueError,
  LearnerLaggingError,
  LearnerNotFoundError,
  NotLeaderError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  TimeoutError,
  UnknownOutcomeError,
  learnerIds,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { MembershipChange } from "../src/engine/event.js";
import { DEFAULT_RAFT_CONFIG } from "../src/config.js";
import { until } from "../src/condition.js";
import type { RaftNode } from "../src/raft-node.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor, setCommand } from "./support/values.js";

const { electionTimeoutMaxMs } = DEFAULT_RAFT_CONFIG;
const THREE = [1, 2, 3] as const;

function at(id: NodeId): BasicNode {
  return (nodesFor(id)[0] as [NodeId, BasicNode])[1];
}

/** Who votes and who does not, as a node sees it. */
function membersOf(node: RaftNode): { voters: readonly (readonly NodeId[])[]; learners: readonly NodeId[] } {
  const { membership } = node.metrics().membership;
  return { voters: membership.configs, learners: learnerIds(membership) };
}

/** A cluster of `voters` with the learners 4 and 5, all of whom run and have everything. */
async function withLearners(
  voters: readonly NodeId[] = THREE,
): Promise<{ cluster: TestCluster; leader: RaftNode }> {
  const cluster = new TestCluster(voters);
  const leader = await cluster.found();
  for (const id of [4, 5]) {
    await cluster.start(id);
    await cluster.run(leader.addLearner(id, at(id), { blocking: true }));
  }
  await cluster.converge();
  return { cluster, leader };
}

/** A leader that cannot reach anybody. */
function cutOff(cluster: TestCluster, leader: RaftNode): void {
  cluster.network.partition([leader.id], [...cluster.others(leader.id), 4, 5, 9]);
}

test("founded on each of them, a cluster of several has one first entry; which stores vote is noted by the leader, soon after", async () => {
  const cluster = new TestCluster(THREE);
  for (const id of THREE) await cluster.start(id);
  await Promise.all(THREE.map((id) => cluster.run(cluster.node(id).initialize(nodesFor(...THREE)))));
  const [first, ...rest] = THREE.map((id) => cluster.log(id)[0]);
  for (const entry of rest) expect(entry).toEqual(first);
  const leader = await cluster.waitForLeader();
  await cluster.converge();
  await cluster.clock.advance(2 * electionTimeoutMaxMs);
  const stores = THREE.map((id): [NodeId, number] => [id, cluster.node(id).metrics().incarnation]);
  expect(leader.metrics().membership.membership.incarnations).toEqual(new Map(stores));
});

describe("adding a learner", () => {
  test("ends once it is committed; it gets the log and does not vote; a member stays what it is, and where it is", async () => {
    const cluster = new TestCluster([1]);
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    const added = await cluster.run(leader.addLearner(4, at(4)));
    expect(added.logId).toEqual(leader.metrics().committed);
    expect(membersOf(leader)).toEqual({ voters: [[1]], learners: [4] });
    const learner = await cluster.start(4);
    await cluster.run(learner.raft.wait(until.applied(added.logId.index), 1000));
    expect(cluster.get(4, "a")).toBe("1");
    expect(learner.metrics()).toMatchObject({ state: "learner", currentLeader: 1 });
    await cluster.run(leader.addLearner(4, at(9)));
    await cluster.run(leader.addLearner(1, at(9), { blocking: true }));
    expect(leader.metrics().membership.membership.nodes).toEqual(new Map(nodesFor(1, 4)));
  });

  test("blocking ends once it lacks no more than the threshold: it may become a voter at once", async () => {
    const cluster = new TestCluster([1], {
      replicationLagThreshold: 5,
      maxPayloadEntries: 3,
      maxInFlightAppends: 1,
    });
    const leader = await cluster.found();
    for (let i = 0; i < 30; i++) await cluster.set(leader, "a", String(i));
    await cluster.start(4);
    // It gets three entries at a time.
    cluster.network.setFaults({ minLatencyMs: 20, maxLatencyMs: 20 });
    const adding = outcomeOf(leader.addLearner(4, at(4), { blocking: true }));
    await cluster.clock.runUntil("the learner", () => adding.values.length === 1, 5000);
    const { lag } = leader.metrics().replication?.get(4) ?? { lag: Number.NaN };
    expect(lag).toBeLessThanOrEqual(5);
    expect(lag).toBeGreaterThan(0);
    await cluster.run(leader.changeMembership([1, 4]));
  });

  test("blocking, and it is dead: a timeout after the time that was asked for, and it is a learner all the same", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.converge();
    const before = cluster.clock.now;
    const adding = outcomeOf(leader.addLearner(9, at(9), { blocking: true, timeoutMs: 700 }));
    await cluster.clock.runUntil("the timeout", () => adding.errors.length === 1, 10_000);
    expect(cluster.clock.now - before).toBe(700);
    expect(adding.errors[0]).toBeInstanceOf(TimeoutError);
    expect(adding.errors[0]).toMatchObject({ timeoutMs: 700, waitingFor: "the catching up of node 9" });
    expect(membersOf(leader)).toEqual({ voters: [THREE], learners: [9] });
    // Without a time of the caller's own it is a minute.
    const patient = outcomeOf(leader.addLearner(9, at(9), { blocking: true }));
    const since = cluster.clock.now;
    await cluster.clock.runUntil("the timeout", () => patient.errors.length === 1, 100_000);
    expect(cluster.clock.now - since).toBe(60_000);
  });

  test("one that answered and fell silent has not caught up, however little it lacks", async () => {
    const { cluster, leader } = await withLearners();
    await cluster.stop(4);
    await cluster.clock.advance(electionTimeoutMaxMs);
    const error = await rejection(
      cluster.run(leader.addLearner(4, at(4), { blocking: true, timeoutMs: 500 })),
    );
    expect(error).toBeInstanceOf(TimeoutError);
  });

  test("blocking, and the leader is lost meanwhile: it says that it does not lead, at once, and the learner stays one", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    const adding = outcomeOf(leader.addLearner(9, at(9), { blocking: true }));
    await cluster.clock.advance(100);
    cutOff(cluster, leader);
    await cluster.clock.runUntil("the error", () => adding.errors.length === 1, 2 * electionTimeoutMaxMs);
    expect(leader.metrics().state).not.toBe("leader");
    expect(adding.errors[0]).toBeInstanceOf(NotLeaderError);
    const next = await cluster.waitForLeader(cluster.others(leader.id));
    expect(membersOf(next).learners).toEqual([9]);
  });

  test("blocking, and it is removed meanwhile: there is nothing left to wait for", async () => {
    const cluster = new TestCluster([1]);
    const leader = await cluster.found();
    const adding = outcomeOf(leader.addLearner(9, at(9), { blocking: true }));
    await cluster.clock.advance(100);
    await cluster.run(leader.changeMembership({ type: "removeNodes", ids: [9] }));
    await cluster.clock.advance(0);
    expect(adding.errors[0]).toBeInstanceOf(LearnerNotFoundError);
    expect(adding.errors[0]).toMatchObject({ nodeId: 9 });
  });

  test("given up by its caller: before it is committed the outcome is unknown, after that the reason is the error", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    const late = new AbortController();
    const adding = outcomeOf(leader.addLearner(9, at(9), { blocking: true, signal: late.signal }));
    await cluster.clock.advance(100);
    late.abort(new Error("enough"));
    await cluster.clock.advance(0);
    expect(adding.errors.map(({ message }) => message)).toEqual(["enough"]);
    const early = new AbortController();
    const second = outcomeOf(leader.addLearner(8, at(8), { signal: early.signal }));
    early.abort(new Error("no"));
    await cluster.clock.advance(100);
    expect(second.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(membersOf(leader).learners).toEqual([8, 9]);
  });

  test("a restarted learner is a learner: it stands for no election, however long it hears nothing", async () => {
    const { cluster } = await withLearners([1]);
    await cluster.stop(4);
    await cluster.stop(1);
    const again = await cluster.start(4);
    await cluster.clock.advance(60_000);
    expect(again.metrics()).toMatchObject({ state: "learner", term: 1, currentLeader: null });
  });
});

describe("changing the membership", () => {
  const moved = { addr: "10.9.9.9:1" };

  test.each<[string, MembershipChange<BasicNode> | NodeId[], boolean, NodeId[], NodeId[]]>([
    ["a set of voters", [1, 2, 4], false, [1, 2, 4], [5]],
    ["a set of voters, keeping who leaves", [1, 2, 4], true, [1, 2, 4], [3, 5]],
    ["replaceVoters", { type: "replaceVoters", ids: [4, 1, 5, 4] }, false, [1, 4, 5], []],
    ["addVoters", { type: "addVoters", ids: [4] }, false, [1, 2, 3, 4], [5]],
    ["removeVoters", { type: "removeVoters", ids: [3, 77] }, false, [1, 2], [4, 5]],
    ["removeVoters, keeping them", { type: "removeVoters", ids: [3] }, true, [1, 2], [3, 4, 5]],
    [
      "addNodes",
      {
        type: "addNodes",
        nodes: [
          [8, moved],
          [2, moved],
        ],
      },
      false,
      [1, 2, 3],
      [4, 5, 8],
    ],
    [
      "setNodes",
      {
        type: "setNodes",
        nodes: [
          [8, moved],
          [4, moved],
        ],
      },
      false,
      [1, 2, 3],
      [4, 5, 8],
    ],
    ["removeNodes", { type: "removeNodes", ids: [4, 77] }, false, [1, 2, 3], [5]],
    [
      "replaceNodes",
      { type: "replaceNodes", nodes: [...nodesFor(1, 2, 3), [8, moved]] },
      false,
      [1, 2, 3],
      [8],
    ],
    [
      "batch",
      {
        type: "batch",
        changes: [
          { type: "addVoters", ids: [4, 5] },
          { type: "removeVoters", ids: [2] },
          { type: "batch", changes: [{ type: "addNodes", nodes: [[8, moved]] }] },
        ],
      },
      false,
      [1, 3, 4, 5],
      [8],
    ],
  ])("by %s: all of it, or nothing", async (_, change, retain, voters, learners) => {
    const { cluster, leader } = await withLearners();
    // It stays whatever else changes, so that one node sees all of it.
    if (leader.id !== 1) await cluster.run(leader.transferLeader({ to: 1 }));
    const first = await cluster.waitForLeader([1]);
    const done = await cluster.run(first.changeMembership(change, { retain, allowLagging: true }));
    expect(done.membership.configs).toEqual([voters]);
    expect(learnerIds(done.membership)).toEqual(learners);
    expect(membersOf(first)).toEqual({ voters: [voters], learners });
    expect(first.metrics().membership.logId).toEqual(done.logId);
    await cluster.run(first.propose(setCommand("after", "1")));
  });

  test("setNodes moves a member, addNodes does not", async () => {
    const { cluster, leader } = await withLearners();
    const where = (): unknown => leader.metrics().membership.membership.nodes.get(4);
    await cluster.run(leader.changeMembership({ type: "addNodes", nodes: [[4, moved]] }));
    expect(where()).toEqual(at(4));
    await cluster.run(leader.changeMembership({ type: "setNodes", nodes: [[4, moved]] }));
    expect(where()).toEqual(moved);
  });

  test("what cannot be is refused, by what is wrong with it, and nothing is appended", async () => {
    const { cluster, leader } = await withLearners();
    await cluster.stop(5);
    await cluster.clock.advance(2 * electionTimeoutMaxMs);
    const before = leader.metrics().lastLogId;
    for (const [change, type, fields] of [
      [[], InvalidChangeError, {}],
      [{ type: "removeVoters", ids: THREE }, InvalidChangeError, {}],
      [{ type: "removeNodes", ids: [2] }, InvalidChangeError, {}],
      [[1, 2, 3, 77], LearnerNotFoundError, { nodeId: 77 }],
      [[1, 2, 3, 5], LearnerLaggingError, { nodeId: 5 }],
    ] as const) {
      const error = await rejection(cluster.run(leader.changeMembership(change)));
      expect(error, JSON.stringify(change)).toBeInstanceOf(type);
      expect(error).toMatchObject(fields);
    }
    expect(leader.metrics().lastLogId).toEqual(before);
    // The last of them is allowed to whoever says so.
    await cluster.run(leader.changeMembership([1, 2, 3, 5], { allowLagging: true }));
  });

  test("removing a voter while another is dead does not stop a cluster that works", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.converge();
    const [dead, alive] = cluster.others(leader.id) as [NodeId, NodeId];
    await cluster.stop(dead);
    await cluster.clock.advance(2 * electionTimeoutMaxMs);
    const error = await rejection(
      cluster.run(leader.changeMembership({ type: "removeVoters", ids: [alive] })),
    );
    expect(error).toBeInstanceOf(LearnerLaggingError);
    expect(error).toMatchObject({ nodeId: dead });
    await cluster.set(leader, "a", "1");
    await cluster.run(leader.changeMembership({ type: "removeVoters", ids: [dead] }));
    await cluster.set(leader, "a", "2");
  });

  test("a node that does not lead says who does, and where", async () => {
    const { cluster, leader } = await withLearners();
    const [follower] = cluster.others(leader.id) as [NodeId];
    const error = await rejection(cluster.run(cluster.node(follower).changeMembership([1])));
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ leaderId: leader.id, leaderNode: at(leader.id) });
  });

  test("only while what is expected holds: the term of the leader, and the membership", async () => {
    const { cluster, leader } = await withLearners();
    const { term, membership } = leader.metrics();
    const membershipLogId = membership.logId;
    const other = { term, index: membershipLogId.index - 1 };
    for (const wrong of [
      { leaderTerm: term + 1 },
      { membershipLogId: other },
      { leaderTerm: term, membershipLogId: other },
    ]) {
      const error = await rejection(cluster.run(leader.changeMembership([1, 2, 3, 4], wrong)));
      expect(error).toBeInstanceOf(PreconditionFailedError);
    }
    expect(leader.metrics().membership).toEqual(membership);
    const two = [4, 5].map((id) =>
      outcomeOf(
        leader.changeMembership({ type: "addVoters", ids: [id] }, { leaderTerm: term, membershipLogId }),
      ),
    );
    await cluster.converge();
    expect(two.map(({ values }) => values.length)).toEqual([1, 0]);
    // Whoever decided by the old membership learns that it is not in force any more.
    const late = leader.changeMembership({ type: "addVoters", ids: [5] }, { membershipLogId });
    expect(await rejection(cluster.run(late))).toBeInstanceOf(PreconditionFailedError);
    expect(membersOf(leader).voters).toEqual([[1, 2, 3, 4]]);
  });

  test("one at a time: another is refused while one is not finished, and possible afterwards", async () => {
    const { cluster, leader } = await withLearners();
    const first = outcomeOf(leader.changeMembership([1, 2, 3, 4]));
    const second = outcomeOf(leader.changeMembership([1, 2, 3, 5]));
    await cluster.converge();
    expect(first.values).toHaveLength(1);
    expect(second.errors[0]).toBeInstanceOf(ChangeInProgressError);
    expect(second.errors[0]).toMatchObject({ membershipLogId: { term: leader.metrics().term } });
    await cluster.run(leader.changeMembership([1, 2, 3, 5]));
    expect(membersOf(leader)).toEqual({ voters: [[1, 2, 3, 5]], learners: [] });
  });

  test("no membership change before an own-term commit: it waits, and is made then", async () => {
    const { cluster, leader } = await withLearners();
    const others = cluster.others(leader.id);
    await cluster.stop(leader.id);
    // The next leader is elected, and what it appends reaches nobody.
    cluster.intercept = (call, send) =>
      call.rpc === "appendEntries" && call.entries.length > 0 ? Promise.reject(new Error("lost")) : send();
    let next: RaftNode | undefined;
    const elected = (): boolean =>
      (next = others.map((id) => cluster.node(id)).find((node) => node.isLeader())) !== undefined;
    await cluster.clock.runUntil("an election", elected, 5000);
    const waiting = outcomeOf((next as RaftNode).changeMembership([...others, 4], { allowLagging: true }));
    const busy = outcomeOf((next as RaftNode).changeMembership([...others, 5]));
    await cluster.clock.advance(100);
    const { lastLogId, term } = (next as RaftNode).metrics();
    // Its blank entry, and nothing after it.
    expect(cluster.log((next as RaftNode).id).at(-1)).toMatchObject({
      logId: lastLogId,
      payload: { type: "blank" },
    });
    expect(waiting).toEqual({ values: [], errors: [] });
    expect(busy.errors[0]).toMatchObject({ code: "changeInProgress", membershipLogId: null });
    cluster.intercept = (_call, send) => send();
    await cluster.clock.advance(1000);
    expect(waiting.values).toMatchObject([{ logId: { term } }]);
  });

  test("that waits for that and is overtaken by a step-down was certainly not made", async () => {
    const { cluster, leader } = await withLearners();
    const others = cluster.others(leader.id);
    await cluster.stop(leader.id);
    cluster.intercept = (call, send) =>
      call.rpc === "appendEntries" && call.entries.length > 0 ? Promise.reject(new Error("lost")) : send();
    let next: RaftNode | undefined;
    const elected = (): boolean =>
      (next = others.map((id) => cluster.node(id)).find((node) => node.isLeader())) !== undefined;
    await cluster.clock.runUntil("an election", elected, 5000);
    const waiting = outcomeOf((next as RaftNode).changeMembership([...others, 4]));
    await cluster.clock.advance(0);
    cutOff(cluster, next as RaftNode);
    await cluster.clock.advance(2 * electionTimeoutMaxMs);
    expect(waiting.errors[0]).toBeInstanceOf(QuorumNotEnoughError);
  });

  test("that was begun and is overtaken by a step-down has an unknown outcome: here the next leader undoes it", async () => {
    const { cluster, leader } = await withLearners();
    cutOff(cluster, leader);
    const change = outcomeOf(leader.changeMembership([4, 5]));
    await cluster.clock.advance(2 * electionTimeoutMaxMs);
    expect(change.errors).toHaveLength(1);
    expect(change.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    const next = await cluster.waitForLeader(cluster.others(leader.id));
    cluster.network.heal();
    await cluster.set(next, "a", "1");
    await cluster.converge();
    expect(membersOf(leader)).toEqual({ voters: [THREE], learners: [4, 5] });
  });

  test("that was begun is finished by the next leader when a majority of both sets has it: a joint config is left", async () => {
    const { cluster, leader } = await withLearners();
    cluster.network.setFaults({ minLatencyMs: 10, maxLatencyMs: 10 });
    const change = outcomeOf(leader.changeMembership([3, 4, 5]));
    const isJoint = (node: RaftNode): boolean => membersOf(node).voters.length === 2;
    await cluster.clock.runUntil(
      "the joint config everywhere",
      () => [2, 3, 4, 5].every((id) => isJoint(cluster.node(id))),
      1000,
    );
    cluster.network.partition(
      [leader.id],
      [1, 2, 3, 4, 5].filter((id) => id !== leader.id),
    );
    const next = await cluster.waitForLeader([1, 2, 3, 4, 5].filter((id) => id !== leader.id));
    await cluster.run(next.raft.wait(until.voters([3, 4, 5]), 5000));
    await cluster.clock.advance(2 * electionTimeoutMaxMs);
    expect(change.values.length + change.errors.length).toBe(1);
  });

  test("given up by its caller it goes on: the outcome is unknown, and here it is made", async () => {
    const { cluster, leader } = await withLearners();
    cluster.network.setFaults({ minLatencyMs: 20, maxLatencyMs: 20 });
    const change = outcomeOf(leader.changeMembership([1, 2, 3, 4], { timeoutMs: 5 }));
    await cluster.clock.advance(5);
    expect(change.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(change.errors[0]?.cause).toBeInstanceOf(TimeoutError);
    await cluster.run(leader.raft.wait(until.voters([1, 2, 3, 4]), 1000));
  });

  test("given up before it was asked for, it is not", async () => {
    const { cluster, leader } = await withLearners();
    const before = leader.metrics().membership;
    const reason = new Error("never mind");
    const error = await rejection(leader.changeMembership([1, 4], { signal: AbortSignal.abort(reason) }));
    expect(error).toBe(reason);
    await cluster.clock.advance(500);
    expect(leader.metrics().membership).toEqual(before);
  });

  test("without the leader: it hands over, steps down, and disturbs nobody", async () => {
    const { cluster, leader } = await withLearners();
    const rest = [...cluster.others(leader.id), 4, 5];
    const before = cluster.clock.now;
    await cluster.run(leader.changeMembership(rest));
    const next = await cluster.waitForLeader(rest);
    // Sooner than anybody's election timeout: it asked the next one to take over.
    expect(cluster.clock.now - before).toBeLessThan(DEFAULT_RAFT_CONFIG.electionTimeoutMinMs);
    const { term } = next.metrics();
    await cluster.clock.advance(10_000);
    expect(next.metrics()).toMatchObject({ state: "leader", term });
    expect(leader.metrics().state).toBe("learner");
    await cluster.set(next, "a", "1");
  });

  test("options and changes that are none are refused by name, and nothing is asked", async () => {
    const { leader } = await withLearners();
    const before = leader.metrics();
    const change = (value: unknown, options?: unknown): Promise<unknown> =>
      leader.changeMembership(value as NodeId[], options as object);
    for (const [value, options, field] of [
      [null, {}, "change"],
      ["1", {}, "change"],
      [{ type: "grow" }, {}, "change.type"],
      [{ type: "addVoters" }, {}, "change.ids"],
      [{ type: "addVoters", ids: [0] }, {}, "change.ids"],
      [{ type: "removeNodes", ids: 4 }, {}, "change.ids"],
      [[1, "2"], {}, "change.ids"],
      [{ type: "addNodes", nodes: 4 }, {}, "change.nodes"],
      [{ type: "addNodes", nodes: {} }, {}, "change.nodes"],
      [{ type: "setNodes", nodes: [4] }, {}, "change.nodes"],
      [{ type: "replaceNodes", nodes: [[-1, {}]] }, {}, "change.nodes"],
      [{ type: "batch" }, {}, "change.changes"],
      [{ type: "batch", changes: [{ type: "addVoters", ids: [1.5] }] }, {}, "change.changes.ids"],
      [
        { type: "batch", changes: Array.from({ length: 1024 }, () => ({ type: "addVoters", ids: [] })) },
        {},
        "change.changes",
      ],
      [[1], null, "options"],
      [[1], { retain: 1 }, "options.retain"],
      [[1], { retian: true }, "options.retian"],
      [[1], { allowLagging: "yes" }, "options.allowLagging"],
      [[1], { leaderTerm: 0 }, "options.leaderTerm"],
      [[1], { membershipLogId: 4 }, "options.membershipLogId.term"],
      [[1], { timeoutMs: 0 }, "options.timeoutMs"],
      [[1], { signal: {} }, "options.signal"],
    ] as const) {
      const error = await rejection(change(value, options));
      expect(error, field).toBeInstanceOf(InvalidValueError);
      expect(error).toMatchObject({ field });
    }
    for (const [id, options, field] of [
      [0, {}, "id"],
      [4, null, "options"],
      [4, { blocking: 1 }, "options.blocking"],
      [4, { bloking: true }, "options.bloking"],
      [4, { timeoutMs: -1 }, "options.timeoutMs"],
    ] as const) {
      const error = await rejection(leader.addLearner(id, at(4), options as object));
      expect(error).toMatchObject({ code: "invalidValue", field });
    }
    expect(leader.metrics()).toEqual(before);
  });
});

describe("a dead voter added to a cluster of one, two or three is refused or survivable", () => {
  test.each([[[1]], [[1, 2]], [[1, 2, 3]]])("to %j", async (ids) => {
    const cluster = new TestCluster(ids);
    const leader = await cluster.found();
    await cluster.converge();
    // It is refused where it never answered.
    await cluster.run(leader.addLearner(9, at(9)));
    const error = await rejection(cluster.run(leader.changeMembership([...ids, 9])));
    expect(error).toBeInstanceOf(LearnerLaggingError);
    await cluster.set(leader, "a", "1");
    // One that dies just when it votes: what is left of a majority goes on, or says that it cannot, and nothing is lost.
    await cluster.start(9);
    await cluster.run(leader.addLearner(9, at(9), { blocking: true }));
    const change = outcomeOf(leader.changeMembership([...ids, 9]));
    await cluster.stop(9);
    await cluster.clock.advance(10_000);
    expect(change.values.length + change.errors.length).toBe(1);
    const survives = ids.length >= 2 && ids.length > (ids.length + 1) / 2;
    if (!survives) await cluster.start(9);
    const next = await cluster.waitForLeader();
    await cluster.set(next, "b", "2");
    expect(cluster.get(next.id, "a")).toBe("1");
    await cluster.run(next.changeMembership({ type: "removeVoters", ids: [9] }));
    expect(membersOf(next).voters).toEqual([ids]);
  });
});
