import type { NodeId } from "@seshat/common";
import {
  InvalidChangeError,
  NotLeaderError,
  TransferFailedError,
  TransferInProgressError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_CONFIG } from "../src/config.js";
import type { RaftNode } from "../src/raft-node.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const THREE = [1, 2, 3] as const;
const { electionTimeoutMinMs, electionTimeoutMaxMs } = DEFAULT_RAFT_CONFIG;

interface World {
  readonly cluster: TestCluster;
  readonly leader: RaftNode;
  /** The other two. */
  readonly one: NodeId;
  readonly two: NodeId;
}

async function three(config = {}): Promise<World> {
  const cluster = new TestCluster(THREE, config);
  const leader = await cluster.found();
  await cluster.converge();
  const [one, two] = cluster.others(leader.id) as [NodeId, NodeId];
  return { cluster, leader, one, two };
}

/** Loses every request to take over, so that a transfer hangs. */
function loseTakeOvers(cluster: TestCluster): void {
  cluster.intercept = (call, send) =>
    call.rpc === "timeoutNow" ? Promise.reject(new Error("lost")) : send();
}

describe("a transfer", () => {
  test("to a named voter ends once that one leads, sooner than any election would", async () => {
    const { cluster, leader, two } = await three();
    const before = cluster.clock.now;
    const { term } = leader.metrics();
    await cluster.run(leader.transferLeader({ to: two }));
    expect(cluster.clock.now - before).toBeLessThan(electionTimeoutMinMs);
    expect(cluster.node(two).metrics()).toMatchObject({ state: "leader", term: term + 1 });
    expect(leader.metrics()).toMatchObject({ state: "follower", currentLeader: two, transferTarget: null });
    await cluster.set(cluster.node(two), "a", "1");
  });

  test("to nobody in particular goes to the voter that has most of the log", async () => {
    for (const behind of [0, 1]) {
      const { cluster, leader, one, two } = await three();
      const slow = behind === 0 ? one : two;
      cluster.intercept = (call, send) =>
        call.to === slow && call.rpc === "appendEntries" && call.entries.length > 0
          ? Promise.reject(new Error("lost"))
          : send();
      for (let i = 0; i < 5; i++) await cluster.set(leader, "a", String(i));
      await cluster.run(leader.transferLeader());
      expect(cluster.node(behind === 0 ? two : one).isLeader()).toBe(true);
    }
  });

  test("waits until the target has the whole log", async () => {
    const { cluster, leader, two } = await three();
    const held = { entries: true };
    cluster.intercept = (call, send) =>
      held.entries && call.to === two && call.entries.length > 0 ? Promise.reject(new Error("lost")) : send();
    await cluster.set(leader, "a", "1");
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 5000 }));
    await cluster.clock.advance(1000);
    expect(transfer).toEqual({ values: [], errors: [] });
    expect(leader.metrics()).toMatchObject({ state: "leader", transferTarget: two });
    held.entries = false;
    await cluster.clock.advance(500);
    expect(transfer.values).toHaveLength(1);
    expect(cluster.node(two).isLeader()).toBe(true);
  });

  test("to this node itself is none: it is done at once, and changes nothing", async () => {
    const { cluster, leader } = await three();
    const before = leader.metrics();
    await cluster.run(leader.transferLeader({ to: leader.id }));
    expect(leader.metrics()).toMatchObject({ state: "leader", term: before.term, transferTarget: null });
  });

  test("to an unknown node, or a learner, is refused: it does not vote", async () => {
    const { cluster, leader } = await three();
    await cluster.start(4);
    await cluster.run(leader.addLearner(4, { addr: "x" }, { blocking: true }));
    for (const to of [4, 77]) {
      const error = await rejection(cluster.run(leader.transferLeader({ to })));
      expect(error).toBeInstanceOf(TransferFailedError);
      expect(error).toMatchObject({ target: to, reason: "notAVoter" });
    }
    expect(leader.metrics()).toMatchObject({ state: "leader", transferTarget: null });
  });

  test("where no other voter answers has nobody to go to, unless one is named", async () => {
    const { cluster, leader, one, two } = await three();
    const alone = new TestCluster([1]);
    const sole = await alone.found();
    expect(await rejection(alone.run(sole.transferLeader()))).toBeInstanceOf(InvalidChangeError);
    cluster.network.partition([leader.id], [one, two]);
    await cluster.clock.advance(electionTimeoutMaxMs - 60);
    expect(leader.isLeader()).toBe(true);
    await cluster.clock.runUntil("the end of it", () => !leader.isLeader(), electionTimeoutMaxMs);
    expect(await rejection(leader.transferLeader())).toMatchObject({ code: "quorumNotEnough" });
  });

  test("on a node that does not lead is refused, and says who does", async () => {
    const { cluster, leader, one } = await three();
    const error = await rejection(cluster.run(cluster.node(one).transferLeader()));
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ leaderId: leader.id });
  });

  test("to a dead target is given up at its deadline, to the millisecond; this node serves again in its term", async () => {
    const { cluster, leader, two } = await three();
    await cluster.stop(two);
    const { term } = leader.metrics();
    for (const [options, expected] of [
      [{ to: two, timeoutMs: 777 }, 777],
      [{ to: two }, electionTimeoutMaxMs],
    ] as const) {
      const before = cluster.clock.now;
      const transfer = outcomeOf(leader.transferLeader(options));
      const write = outcomeOf(leader.propose(setCommand("a", "1")));
      await cluster.clock.runUntil("the deadline", () => transfer.errors.length === 1, 2000);
      expect(cluster.clock.now - before).toBe(expected);
      expect(transfer.errors[0]).toMatchObject({ code: "transferFailed", target: two, reason: "timeout" });
      expect(write.errors[0]).toBeInstanceOf(TransferInProgressError);
      await cluster.set(leader, "a", "2");
      expect(leader.metrics()).toMatchObject({ state: "leader", term, transferTarget: null });
    }
  });

  test("that somebody else wins has failed: another was elected", async () => {
    const { cluster, leader, one, two } = await three();
    loseTakeOvers(cluster);
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 10_000 }));
    await cluster.clock.advance(10);
    // Voters that hear from their leader vote for nobody else, so it has to fall silent first.
    cluster.network.cut(leader.id, one);
    cluster.network.cut(leader.id, two);
    cluster.node(two).raft.configure({ elect: false });
    await cluster.clock.runUntil("another leader", () => cluster.node(one).isLeader(), 5000);
    cluster.network.heal();
    await cluster.clock.runUntil("the answer", () => transfer.errors.length === 1, 1000);
    expect(transfer.errors[0]).toMatchObject({ code: "transferFailed", target: two, reason: "otherLeader" });
    expect(leader.metrics().transferTarget).toBeNull();
  });

  test("whose leader steps down meanwhile is settled by its deadline all the same", async () => {
    const { cluster, leader, one, two } = await three();
    loseTakeOvers(cluster);
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 2000 }));
    cluster.network.partition([leader.id], [one, two]);
    await cluster.clock.advance(1999);
    expect(leader.isLeader()).toBe(false);
    expect(transfer).toEqual({ values: [], errors: [] });
    await cluster.clock.advance(1);
    expect(transfer.errors[0]).toMatchObject({ reason: "timeout" });
  });

  test("is lost on the way once, and asked again", async () => {
    const { cluster, leader, two } = await three();
    let lost = 0;
    cluster.intercept = (call, send) => {
      if (call.rpc !== "timeoutNow" || lost > 0) return send();
      lost += 1;
      return Promise.reject(new Error("lost"));
    };
    await cluster.run(leader.transferLeader({ to: two, timeoutMs: 5000 }));
    expect(lost).toBe(1);
    expect(cluster.node(two).isLeader()).toBe(true);
  });
});

describe("while the leadership is handed over", () => {
  test("writes, membership changes and other transfers are refused by the name of who takes over; nothing is appended", async () => {
    const { cluster, leader, one, two } = await three();
    loseTakeOvers(cluster);
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 1000 }));
    await cluster.clock.advance(10);
    const before = leader.metrics().lastLogId;
    for (const ask of [
      () => leader.propose(setCommand("a", "1")),
      () => leader.clientWriteMany([{ data: setCommand("a", "1") }]),
      () => leader.openSession(),
      () => leader.changeMembership([leader.id, two]),
      () => leader.addLearner(9, { addr: "x" }),
      () => leader.transferLeader({ to: one }),
    ]) {
      const error = await rejection(cluster.run<unknown>(ask()));
      expect(error).toBeInstanceOf(TransferInProgressError);
      expect(error).toMatchObject({ target: two });
    }
    expect(leader.metrics().lastLogId).toEqual(before);
    await cluster.clock.advance(1000);
    expect(transfer.errors).toHaveLength(1);
  });

  test("a write that came before is committed, and the target has it", async () => {
    const { cluster, leader, two } = await three();
    cluster.network.setFaults({ minLatencyMs: 5, maxLatencyMs: 5 });
    const write = outcomeOf(leader.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    await cluster.run(leader.transferLeader({ to: two, timeoutMs: 1000 }));
    expect(write.values).toHaveLength(1);
    await cluster.run(cluster.node(two).ensureLinearizable());
    expect(cluster.get(two, "a")).toBe("1");
  });

  test("a read during a transfer is safe: it asks a quorum, lease or not, and is refused where another leads", async () => {
    const { cluster, leader, two } = await three({ leaderLease: true });
    const asked: string[] = [];
    cluster.intercept = (call, send) => {
      asked.push(`${call.rpc} to ${call.to}`);
      return call.rpc === "timeoutNow" ? Promise.reject(new Error("lost")) : send();
    };
    // By the lease nobody is asked.
    await cluster.run(leader.ensureLinearizable({ policy: "lease" }));
    expect(asked).toEqual([]);
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 1000 }));
    await cluster.clock.advance(0);
    asked.length = 0;
    expect(await cluster.run(leader.ensureLinearizable({ policy: "lease" }))).toEqual(
      leader.metrics().committed,
    );
    expect(asked.filter((call) => call.startsWith("appendEntries"))).toHaveLength(1);
    // The question may still be on its way when the transfer is given up, so the lease does not come back in this term.
    await cluster.clock.advance(1000);
    expect(transfer.errors).toHaveLength(1);
    asked.length = 0;
    await cluster.run(leader.ensureLinearizable({ policy: "lease" }));
    expect(asked).not.toEqual([]);
    cluster.intercept = (_, send) => send();
    await cluster.run(leader.transferLeader({ to: two }));
    await cluster.set(cluster.node(two), "b", "2");
    await cluster.run(leader.ensureLinearizable());
    expect(cluster.get(leader.id, "b")).toBe("2");
  });
});

describe("electing the current leader is a no-op", () => {
  test("and so it is while it hands over", async () => {
    const { cluster, leader, two } = await three();
    loseTakeOvers(cluster);
    const transfer = outcomeOf(leader.transferLeader({ to: two, timeoutMs: 500 }));
    await cluster.clock.advance(10);
    const { term } = leader.metrics();
    leader.raft.trigger.elect();
    await cluster.clock.advance(100);
    expect(leader.metrics()).toMatchObject({ state: "leader", term, transferTarget: two });
    await cluster.clock.advance(500);
    expect(transfer.errors).toHaveLength(1);
  });
});

test("what is no option is refused by name, and nothing is asked", async () => {
  const { leader } = await three();
  for (const [options, field] of [
    [null, "options"],
    [{ to: 0 }, "options.to"],
    [{ to: null }, "options.to"],
    [{ timeoutMs: 0 }, "options.timeoutMs"],
    [{ timeoutMs: 2 ** 31 }, "options.timeoutMs"],
    [{ target: 2 }, "options.target"],
  ] as const) {
    const error = await rejection(leader.transferLeader(options as object));
    expect(error, field).toMatchObject({ code: "invalidValue", field });
  }
  expect(leader.metrics()).toMatchObject({ state: "leader", transferTarget: null });
});
