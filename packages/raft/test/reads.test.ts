import type { NodeId, ReadIndexRequest, RpcRequest } from "@seshat/common";
import {
  ForeignNodeError,
  InvalidValueError,
  NotLeaderError,
  OverloadedError,
  QuorumNotEnoughError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_CONFIG } from "../src/config.js";
import type { RaftNode } from "../src/raft-node.js";
import { addressed, unaddressed } from "./support/addressed.js";
import { outcomeOf, rejection } from "./support/promises.js";
import type { Outcome } from "./support/promises.js";
import type { PeerCall } from "./support/test-cluster.js";
import { TestCluster } from "./support/test-cluster.js";

const IDS = [1, 2, 3] as const;
const { electionTimeoutMinMs, electionTimeoutMaxMs, maxClockDriftMs } = DEFAULT_RAFT_CONFIG;
const LEASE = { policy: "lease" } as const;

/** The question of node `from`. */
function asks(cluster: TestCluster, from: NodeId, to: RaftNode, lease = false): RpcRequest<ReadIndexRequest> {
  const { incarnation } = cluster.node(from).metrics();
  return addressed(from, to.id, { lease }, { incarnation });
}

/** Notes every call from now on. */
function watchCalls(cluster: TestCluster): PeerCall[] {
  const calls: PeerCall[] = [];
  cluster.intercept = (call, send) => {
    calls.push(call);
    return send();
  };
  return calls;
}

describe("linearizable reads", () => {
  test("of one turn share one round: a thousand of them cost one message to a follower", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const calls = watchCalls(cluster);
    await cluster.run(Promise.all(Array.from({ length: 1000 }, () => leader.ensureLinearizable())));
    expect(calls.map(({ rpc, from, entries }) => [rpc, from, entries.length])).toEqual([
      ["appendEntries", leader.id, 0],
    ]);
  });

  test("of one turn on a follower share one question to the leader", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const calls = watchCalls(cluster);
    const follower = cluster.node(cluster.others(leader.id)[0] as number);
    await cluster.run(Promise.all(Array.from({ length: 1000 }, () => follower.ensureLinearizable())));
    expect(calls.filter(({ rpc }) => rpc === "readIndex")).toMatchObject([
      { from: follower.id, to: leader.id },
    ]);
    expect(calls.filter(({ rpc }) => rpc === "appendEntries")).toHaveLength(1);
  });

  test.each([1, 2, 3])(
    "on a follower see every write that was acknowledged before (seed %d)",
    async (seed) => {
      const cluster = new TestCluster(IDS, {}, seed);
      cluster.network.setFaults({ minLatencyMs: 1, maxLatencyMs: 20 });
      const leader = await cluster.found();
      await cluster.converge();
      let behind = 0;
      for (let i = 1; i <= 30; i++) {
        await cluster.set(leader, "x", String(i));
        const reads = cluster.others(leader.id).map(async (id) => {
          if (cluster.get(id, "x") !== String(i)) behind += 1;
          await cluster.node(id).ensureLinearizable();
          return Number(cluster.get(id, "x"));
        });
        for (const seen of await cluster.run(Promise.all(reads))) expect(seen).toBeGreaterThanOrEqual(i);
      }
      // Without the wait a read would have been stale again and again.
      expect(behind).toBeGreaterThan(10);
    },
  );

  test("on a follower whose leader was deposed are refused, not stale, and served once it follows the next", async () => {
    const cluster = new TestCluster([1, 2, 3, 4, 5]);
    const old = await cluster.found();
    await cluster.set(old, "x", "old");
    await cluster.converge();
    const [mate, ...majority] = cluster.others(old.id) as [number, number, number, number];
    cluster.network.partition([old.id, mate], majority);
    const next = await cluster.waitForLeader(majority);
    await cluster.set(next, "x", "new");
    const follower = cluster.node(mate);
    const reads: Outcome<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      reads.push(outcomeOf(follower.ensureLinearizable()));
      await cluster.clock.advance(50);
    }
    for (const { values, errors } of reads.slice(0, -3)) {
      expect(values).toEqual([]);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(NotLeaderError);
    }
    cluster.network.heal();
    await cluster.converge();
    for (const { values, errors } of reads) expect(values.length + errors.length).toBe(1);
    await cluster.run(follower.ensureLinearizable());
    expect(cluster.get(mate, "x")).toBe("new");
  });

  test("asked for by a follower are bounded like the leader's own", async () => {
    const cluster = new TestCluster(IDS, { maxPendingRequests: 2 });
    const leader = await cluster.found();
    await cluster.converge();
    cluster.network.partition([leader.id], cluster.others(leader.id));
    const from = cluster.others(leader.id)[0] as number;
    const asked = [1, 2, 3].map(() => outcomeOf(leader.raft.readIndex(asks(cluster, from, leader))));
    await cluster.clock.advance(0);
    expect(asked.map(({ errors }) => errors.length)).toEqual([0, 0, 1]);
    expect(asked[2]?.errors[0]).toBeInstanceOf(OverloadedError);
    // The others end when the leader finds out that it leads nobody: there is no index.
    await cluster.clock.advance(electionTimeoutMaxMs);
    expect(asked.slice(0, 2).map(({ values }) => values.map(unaddressed))).toEqual([
      [{ readIndex: null }],
      [{ readIndex: null }],
    ]);
  });

  test("a node that does not lead gives another no index, and does not pass the question on", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const [one, other] = cluster.others(leader.id) as [number, number];
    const calls = watchCalls(cluster);
    const node = cluster.node(one);
    const answer = await cluster.run(node.raft.readIndex(asks(cluster, other, node)));
    expect(unaddressed(answer)).toEqual({ readIndex: null });
    expect(calls).toEqual([]);
    const wrong = node.raft.readIndex(asks(cluster, one, node));
    expect(await rejection(wrong)).toBeInstanceOf(ForeignNodeError);
  });
});

describe("a read on a follower is settled although", () => {
  const LIMIT = 2 * Math.max(DEFAULT_RAFT_CONFIG.storageStallMs, electionTimeoutMaxMs);

  /** A follower that asked, and is answered with an index that it does not have yet: it hears nothing more once `cut` was called. */
  async function reader(): Promise<{
    cluster: TestCluster;
    leader: RaftNode;
    follower: RaftNode;
    cut: () => void;
  }> {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const follower = cluster.node(cluster.others(leader.id)[0] as NodeId);
    let isCut = false;
    cluster.intercept = ({ to, rpc }, send) =>
      to === follower.id && (isCut || rpc === "appendEntries") ? new Promise(() => {}) : send();
    const cut = (): void => {
      isCut = true;
    };
    return { cluster, leader, follower, cut };
  }

  test("the node is cut off after it was told from where on it may read", async () => {
    const { cluster, leader, follower, cut } = await reader();
    await cluster.set(leader, "x", "new");
    const read = outcomeOf(follower.ensureLinearizable());
    await cluster.clock.advance(10);
    cut();
    cluster.network.partition([follower.id], cluster.others(follower.id));
    expect([read.values.length, read.errors.length]).toEqual([0, 0]);
    await cluster.clock.advance(LIMIT);
    expect(read.errors[0]).toBeInstanceOf(NotLeaderError);
    expect(read.errors[0]).toMatchObject({ leaderId: null });
  });

  test("the node is removed while it waits", async () => {
    const { cluster, leader, follower, cut } = await reader();
    await cluster.set(leader, "x", "new");
    const read = outcomeOf(follower.ensureLinearizable());
    await cluster.clock.advance(10);
    cut();
    await cluster.run(leader.changeMembership(cluster.others(follower.id)));
    cluster.intercept = (_, send) => send();
    await cluster.clock.advance(LIMIT);
    expect(follower.metrics().lastApplied.index).toBeLessThan(leader.metrics().committed.index);
    expect(read.errors[0]).toBeInstanceOf(NotLeaderError);
  });

  test("its storage hangs", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const follower = cluster.node(cluster.others(leader.id)[0] as NodeId);
    cluster.storage(follower.id).hanging.add("append");
    await cluster.set(leader, "x", "new");
    const read = outcomeOf(follower.ensureLinearizable());
    await cluster.clock.advance(LIMIT);
    expect(read.errors[0]).toBeInstanceOf(NotLeaderError);
    expect(read.errors[0]).toMatchObject({ leaderId: leader.id });
    cluster.storage(follower.id).resume();
  });

  test("the leader never answers", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const follower = cluster.node(cluster.others(leader.id)[0] as NodeId);
    cluster.intercept = ({ rpc }, send) => (rpc === "readIndex" ? new Promise(() => {}) : send());
    const read = outcomeOf(follower.ensureLinearizable());
    await cluster.clock.advance(electionTimeoutMinMs);
    expect(read.errors[0]).toBeInstanceOf(NotLeaderError);
  });
});

describe("reads by the leader's lease", () => {
  test("are off by default: whoever asks for one is told what to set", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const error = await rejection(leader.ensureLinearizable(LEASE));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field: "options.policy" });
    expect(error.message).toContain("config.leaderLease");
    const wrong = { policy: "guess" } as unknown as typeof LEASE;
    expect(await rejection(leader.ensureLinearizable(wrong))).toMatchObject({ field: "options.policy" });
  });

  test("are confirmed by a quorum where the follower that asks has leases on and the leader has not", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const calls = watchCalls(cluster);
    const from = cluster.others(leader.id)[0] as number;
    const answer = await cluster.run(leader.raft.readIndex(asks(cluster, from, leader, true)));
    expect(unaddressed(answer)).toEqual({ readIndex: leader.metrics().committed });
    expect(calls.map(({ rpc }) => rpc)).toEqual(["appendEntries"]);
  });

  test("cost no round trip, and a follower's costs only the way to the leader", async () => {
    const cluster = new TestCluster(IDS, { leaderLease: true });
    cluster.network.setFaults({ minLatencyMs: 5, maxLatencyMs: 5 });
    const leader = await cluster.found();
    await cluster.converge();
    const calls = watchCalls(cluster);
    const read = outcomeOf(leader.ensureLinearizable(LEASE));
    await cluster.clock.advance(0);
    expect(read.values).toEqual([leader.metrics().committed]);
    expect(calls).toEqual([]);
    const follower = cluster.node(cluster.others(leader.id)[0] as number);
    const asked = outcomeOf(follower.ensureLinearizable(LEASE));
    await cluster.clock.advance(10);
    expect(asked.values).toHaveLength(1);
    // One that does not ask for it is confirmed by a quorum as ever.
    const confirmed = outcomeOf(leader.ensureLinearizable());
    await cluster.clock.advance(9);
    expect(confirmed.values).toHaveLength(0);
    await cluster.clock.advance(1);
    expect(confirmed.values).toHaveLength(1);
  });

  test.each([1, 2, 3, 4, 5])(
    "are never stale after a partition: the lease ends before another can lead (seed %d)",
    async (seed) => {
      const cluster = new TestCluster(IDS, { leaderLease: true }, seed);
      const old = await cluster.found();
      await cluster.set(old, "x", "old");
      await cluster.converge();
      const others = cluster.others(old.id);
      cluster.network.partition([old.id], others);
      const cutAt = cluster.clock.now;
      let served = 0;
      let lastServedAt = cutAt;
      let ledSince = Number.POSITIVE_INFINITY;
      while (cluster.clock.now < cutAt + 2000) {
        const read = outcomeOf(old.ensureLinearizable(LEASE));
        await cluster.clock.advance(1);
        served += read.values.length;
        if (read.values.length > 0) lastServedAt = cluster.clock.now;
        if (others.some((id) => cluster.node(id).isLeader()))
          ledSince = Math.min(ledSince, cluster.clock.now);
      }
      expect(served).toBeGreaterThan(0);
      expect(lastServedAt - cutAt).toBeLessThanOrEqual(electionTimeoutMinMs - maxClockDriftMs + 1);
      expect(ledSince).toBeLessThan(Number.POSITIVE_INFINITY);
      expect(lastServedAt).toBeLessThan(ledSince);
      expect(await rejection(cluster.run(old.ensureLinearizable(LEASE)))).toBeInstanceOf(
        QuorumNotEnoughError,
      );
    },
  );

  test("a voter that restarts elects nobody until every lease that it may have promised is over", async () => {
    const cluster = new TestCluster(IDS, { leaderLease: true });
    const leader = await cluster.found();
    await cluster.converge();
    const [voter, rival] = cluster.others(leader.id) as [number, number];
    // The rival hears nothing of the leader, and asks the voter for its vote again and again.
    cluster.network.partition([leader.id], [rival]);
    await cluster.clock.advance(2000);
    expect(leader.isLeader()).toBe(true);
    await cluster.stop(voter);
    const restartedAt = cluster.clock.now;
    await cluster.start(voter);
    cluster.network.partition([leader.id], [voter, rival]);
    let servedUntil = restartedAt;
    while (cluster.clock.now < restartedAt + electionTimeoutMaxMs - 1) {
      const read = outcomeOf(leader.ensureLinearizable(LEASE));
      await cluster.clock.advance(1);
      if (read.values.length > 0) servedUntil = cluster.clock.now;
      expect([voter, rival].some((id) => cluster.node(id).metrics().state === "leader")).toBe(false);
    }
    expect(servedUntil).toBeGreaterThan(restartedAt + 50);
    await cluster.waitForLeader([voter, rival]);
  });
});
