import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_CONFIG } from "../src/config.js";
import type { RuntimeSwitches } from "../src/membership-options.js";
import type { RaftNode } from "../src/raft-node.js";
import { rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";

const THREE = [1, 2, 3] as const;
const { electionTimeoutMaxMs, heartbeatIntervalMs } = DEFAULT_RAFT_CONFIG;
const NEVER = { snapshotPolicy: { type: "never" } } as const;

async function three(): Promise<{ cluster: TestCluster; leader: RaftNode; others: RaftNode[] }> {
  const cluster = new TestCluster(THREE);
  const leader = await cluster.found();
  await cluster.converge();
  return { cluster, leader, others: cluster.others(leader.id).map((id) => cluster.node(id)) };
}

/** Turns something on or off, and lets it come to pass. */
async function configure(cluster: TestCluster, node: RaftNode, switches: RuntimeSwitches): Promise<void> {
  node.raft.configure(switches);
  await cluster.clock.advance(0);
}

describe("elect", () => {
  test("off: a node stands by itself no more, and votes for others; asked to, it stands all the same; on again, it does", async () => {
    const { cluster, leader, others } = await three();
    for (const node of others) await configure(cluster, node, { elect: false });
    const { term } = leader.metrics();
    await cluster.stop(leader.id);
    await cluster.clock.advance(10_000);
    expect(others.map((node) => node.metrics().term)).toEqual([term, term]);
    const [one] = others as [RaftNode, RaftNode];
    one.raft.trigger.elect();
    expect((await cluster.waitForLeader(cluster.others(leader.id))).id).toBe(one.id);
    await cluster.start(leader.id);
    await cluster.converge();
    await cluster.stop(one.id);
    const [other] = others.filter((node) => node !== one) as [RaftNode];
    cluster.node(leader.id).raft.configure({ elect: false });
    const before = cluster.clock.now;
    await configure(cluster, other, { elect: true });
    await cluster.waitForLeader([other.id]);
    // What lay before counts for nothing: it waits a whole timeout first.
    expect(cluster.clock.now - before).toBeGreaterThanOrEqual(DEFAULT_RAFT_CONFIG.electionTimeoutMinMs);
  });
});

describe("heartbeat", () => {
  test("off: a leader sends none, so that it loses its office; on again, it keeps it", async () => {
    const { cluster, leader } = await three();
    const empty: number[] = [];
    cluster.intercept = (call, send) => {
      if (call.from === leader.id && call.rpc === "appendEntries" && call.entries.length === 0)
        empty.push(call.to);
      return send();
    };
    await cluster.clock.advance(2 * heartbeatIntervalMs);
    expect(empty.length).toBeGreaterThanOrEqual(2);
    await configure(cluster, leader, { heartbeat: false });
    empty.length = 0;
    await cluster.clock.runUntil("another term", () => leader.metrics().state !== "leader", 5000);
    expect(empty).toEqual([]);
    const next = await cluster.waitForLeader();
    await configure(cluster, leader, { heartbeat: true });
    await cluster.clock.advance(5000);
    expect(next.isLeader()).toBe(true);
  });

  test("off: what it replicates still goes out, and keeps it in office", async () => {
    const { cluster, leader } = await three();
    await configure(cluster, leader, { heartbeat: false });
    const { term } = leader.metrics();
    for (let i = 0; i < 50; i++) {
      await cluster.set(leader, "a", String(i));
      await cluster.clock.advance(100);
    }
    expect(leader.metrics()).toMatchObject({ state: "leader", term });
  });
});

describe("preVote", () => {
  test("off: a node stands without asking; on, it asks first", async () => {
    for (const preVote of [false, true]) {
      const { cluster, leader, others } = await three();
      const [one, two] = others as [RaftNode, RaftNode];
      await configure(cluster, one, { preVote });
      await configure(cluster, two, { elect: false });
      const calls: string[] = [];
      cluster.intercept = (call, send) => {
        if (call.from === one.id) calls.push(call.rpc);
        return send();
      };
      await cluster.stop(leader.id);
      await cluster.waitForLeader([one.id]);
      expect(calls.includes("preVote")).toBe(preVote);
      expect(calls).toContain("vote");
    }
  });
});

describe("tick", () => {
  test("off: time stands still for a node, which does nothing by itself and answers all the same", async () => {
    const { cluster, leader, others } = await three();
    const [one, two] = others as [RaftNode, RaftNode];
    for (const node of others) await configure(cluster, node, { tick: false });
    await cluster.set(leader, "a", "1");
    await cluster.converge();
    await cluster.stop(leader.id);
    await cluster.clock.advance(60_000);
    expect(others.map((node) => node.metrics().state)).toEqual(["follower", "follower"]);
    await configure(cluster, one, { tick: true });
    expect((await cluster.waitForLeader([one.id, two.id])).id).toBe(one.id);
  });

  test("off on a leader: it neither steps down nor sends heartbeats; on again, its silence is not held against the others", async () => {
    const cluster = new TestCluster(THREE);
    const leader = await cluster.found();
    await cluster.converge();
    for (const id of cluster.others(leader.id)) await configure(cluster, cluster.node(id), { elect: false });
    await configure(cluster, leader, { tick: false });
    await cluster.clock.advance(60_000);
    const { term } = leader.metrics();
    expect(leader.metrics().state).toBe("leader");
    await configure(cluster, leader, { tick: true });
    await cluster.clock.advance(10 * electionTimeoutMaxMs);
    expect(leader.metrics()).toMatchObject({ state: "leader", term });
  });
});

describe("snapshotPolicy", () => {
  async function snapshots(
    config: object,
    before: RuntimeSwitches[],
    writes: number,
    bytes = 1,
  ): Promise<number> {
    const cluster = new TestCluster([1], config);
    const node = await cluster.found();
    for (const switches of before) await configure(cluster, node, switches);
    for (let i = 0; i < writes; i++) {
      await cluster.set(node, "a", "x".repeat(bytes));
      await cluster.clock.advance(0);
    }
    return cluster.history.filter((line) => line.includes("raft.snapshot.built")).length;
  }

  test("by entries, from now on and for what is applied already", async () => {
    expect(await snapshots(NEVER, [], 30)).toBe(0);
    expect(await snapshots(NEVER, [{ snapshotPolicy: { type: "logsSinceLast", entries: 10 } }], 30)).toBe(3);
    const cluster = new TestCluster([1], NEVER);
    const node = await cluster.found();
    for (let i = 0; i < 20; i++) await cluster.set(node, "a", "1");
    await configure(cluster, node, { snapshotPolicy: { type: "logsSinceLast", entries: 10 } });
    expect(node.metrics().snapshot).toEqual(node.metrics().lastApplied);
  });

  test("by bytes, counted from then on; and by whichever of both comes first", async () => {
    const bytes = { snapshotPolicy: { type: "logsSinceLast", bytes: 1000 } } as const;
    expect(await snapshots(NEVER, [bytes], 10, 50)).toBe(0);
    expect(await snapshots(NEVER, [bytes], 10, 350)).toBeGreaterThanOrEqual(3);
    const both = { snapshotPolicy: { type: "logsSinceLast", entries: 5, bytes: 1_000_000 } } as const;
    expect(await snapshots(NEVER, [both], 10)).toBe(2);
    expect(await snapshots(bytes, [], 10, 350)).toBeGreaterThanOrEqual(3);
  });

  test("never: no more, unless somebody asks", async () => {
    const often = { snapshotPolicy: { type: "logsSinceLast", entries: 3 } } as const;
    expect(await snapshots(often, [NEVER], 30)).toBe(0);
    const cluster = new TestCluster([1], NEVER);
    const node = await cluster.found();
    expect(await cluster.run(node.triggerSnapshot())).toEqual(node.metrics().lastApplied);
  });
});

test("what is left out stays, and the metrics say how it stands; a node that starts again starts as its settings say", async () => {
  const cluster = new TestCluster([1], { preVote: false, ...NEVER });
  const node = await cluster.found();
  const off = { tick: true, heartbeat: true, elect: true, preVote: false };
  const none = { snapshotAfterEntries: null, snapshotAfterBytes: null };
  expect(node.metrics().switches).toEqual({ ...off, ...none });
  await configure(cluster, node, { elect: false });
  await configure(cluster, node, { heartbeat: false, tick: undefined } as unknown as RuntimeSwitches);
  await configure(cluster, node, {});
  await configure(cluster, node, { snapshotPolicy: { type: "logsSinceLast", entries: 9, bytes: 8 } });
  expect(node.metrics().switches).toEqual({
    ...off,
    elect: false,
    heartbeat: false,
    snapshotAfterEntries: 9,
    snapshotAfterBytes: 8,
  });
  await configure(cluster, node, { snapshotPolicy: { type: "logsSinceLast", bytes: 8 } });
  expect(node.metrics().switches).toMatchObject({ snapshotAfterEntries: null, snapshotAfterBytes: 8 });
  await cluster.stop(1);
  expect((await cluster.start(1)).metrics().switches).toEqual({ ...off, ...none });
});

test.each<[unknown, string]>([
  [null, "switches"],
  [true, "switches"],
  [{ tick: 1 }, "switches.tick"],
  [{ heartbeat: "off" }, "switches.heartbeat"],
  [{ elect: null }, "switches.elect"],
  [{ preVote: 0 }, "switches.preVote"],
  [{ prevote: false }, "switches.prevote"],
  [{ snapshotPolicy: "never" }, "switches.snapshotPolicy"],
  [{ snapshotPolicy: null }, "switches.snapshotPolicy"],
  [{ snapshotPolicy: { type: "logsSinceLast" } }, "switches.snapshotPolicy"],
  [{ snapshotPolicy: { type: "logsSinceLast", entries: 0 } }, "switches.snapshotPolicy.entries"],
  [{ snapshotPolicy: { type: "logsSinceLast", bytes: -1 } }, "switches.snapshotPolicy.bytes"],
])("%j is refused as %s, and nothing changes", async (switches, field) => {
  const cluster = new TestCluster([1]);
  const node = await cluster.found();
  const before = node.metrics();
  const error = await rejection((async () => node.raft.configure(switches as RuntimeSwitches))());
  expect(error).toBeInstanceOf(InvalidValueError);
  expect(error).toMatchObject({ field });
  await cluster.clock.advance(0);
  expect(node.metrics()).toEqual(before);
});

test("a node that does not run is not configured", async () => {
  const cluster = new TestCluster([1]);
  const node = await cluster.found();
  await cluster.stop(1);
  expect(() => node.raft.configure({ tick: false })).toThrow(expect.objectContaining({ code: "shutdown" }));
});
