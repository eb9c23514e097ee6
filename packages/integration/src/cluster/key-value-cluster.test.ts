import { TimeoutError, UnknownOutcomeError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { bytes, text } from "../../test/support/bytes.js";
import { leaderOf, startKeyValues } from "../../test/support/virtual-cluster.js";
import type { NodeStatus } from "./key-value-cluster-status.js";
import type { KeyValueCluster } from "./key-value-cluster.js";
import { startKeyValueCluster } from "./key-value-cluster.js";

const [A, B, C] = [bytes("a"), bytes("b"), bytes("c")];

function leader(cluster: KeyValueCluster): number {
  return leaderOf(cluster.cluster) as number;
}

describe("keys and values", () => {
  test("are set, read, counted and removed, wherever the leader is", async () => {
    const { cluster, settle } = await startKeyValues();
    expect((await settle(cluster.set(A, bytes("1")))).index).toBeGreaterThan(0);
    expect(text((await settle(cluster.get(A))) ?? B)).toBe("1");
    await settle(cluster.kill(leader(cluster)));
    await settle(cluster.set(B, bytes("2")));
    expect(await settle(cluster.exists([A, B, B, C]))).toBe(3);
    expect(await settle(cluster.del([A, B, C]))).toBe(2);
    expect(await settle(cluster.get(A))).toBeNull();
  });

  test("past the limits are refused before anything is sent", async () => {
    const { cluster, failure } = await startKeyValues({
      limits: { maxKeyBytes: 2, maxValueBytes: 1, maxKeys: 2 },
    });
    const long = bytes("abc");
    for (const [call, field] of [
      [() => cluster.set(long, A), "operation.key"],
      [() => cluster.set(A, long), "operation.value"],
      [() => cluster.get(long), "operation.key"],
      [() => cluster.del([A, long]), "operation.keys[1]"],
      [() => cluster.exists([A, B, C]), "operation.keys"],
    ] as const) {
      expect(await failure(call(), 0)).toMatchObject({ code: "operationTooLarge", field });
    }
  });

  test("set many times at once, through kills and refusals, end with the last value that was set", async () => {
    const { cluster, clock, settle } = await startKeyValues({
      nodes: 5,
      timeoutMs: 60_000,
      config: { maxPendingRequests: 16, maxUncommittedEntries: 8 },
    });
    const writes: Promise<unknown>[] = [];
    for (let i = 1; i <= 300; i += 1) {
      for (const key of [A, B, C]) writes.push(cluster.set(key, bytes(String(i))));
      if (i % 100 !== 0) continue;
      await clock.runUntil("a leader", () => leaderOf(cluster.cluster) !== null, 5000);
      await clock.advance(5);
      if (i < 300) await settle(cluster.kill(leader(cluster)));
    }
    await settle(Promise.all(writes));
    expect(cluster.cluster.running()).toHaveLength(3);
    for (const key of [A, B, C]) expect(text((await settle(cluster.get(key))) ?? A)).toBe("300");
  });

  test("that no quorum takes end with an error in bounded time, also those that wait for their turn", async () => {
    const timeoutMs = 2000;
    const { cluster, clock, settle, failure } = await startKeyValues({ timeoutMs });
    await settle(cluster.set(A, bytes("1")));
    cluster.partition([[1], [2], [3]]);
    const began = clock.now;
    const calls = [
      ...Array.from({ length: 50 }, (_, i) => cluster.set(A, bytes(String(i)))),
      cluster.get(A),
      cluster.exists([A]),
    ];
    const errors = await Promise.all(calls.map((call) => failure(call, 3 * timeoutMs)));
    expect(clock.now - began).toBeLessThanOrEqual(timeoutMs);
    expect(errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(errors[49]).toBeInstanceOf(TimeoutError);
    cluster.heal();
    await settle(cluster.set(B, bytes("2")));
    expect(["0", "1"]).toContain(text((await settle(cluster.get(A))) ?? B));
  });
});

describe("the nodes", () => {
  test("are shown with what they have, who leads, how far they lag, and which are down", async () => {
    const { cluster, clock, settle } = await startKeyValues();
    await settle(cluster.set(A, bytes("1")));
    await clock.advance(200);
    const lead = leader(cluster);
    const [down, behind] = cluster.ids.filter((id) => id !== lead) as [number, number];
    expect(cluster.status()).toMatchObject({ leaderId: lead, partition: null, keys: 1, snapshotsTaken: 0 });
    expect(cluster.status().nodes.map(({ lag }) => lag)).toEqual([0, 0, 0]);

    await settle(cluster.kill(down));
    await settle(cluster.set(B, bytes("2")));
    await settle(cluster.restart(down));
    // Cut off now, it misses what follows.
    cluster.partition([[lead, down]]);
    for (let i = 0; i < 5; i += 1) await settle(cluster.set(C, bytes(String(i))));
    const { nodes, partition, keys, lastApplied } = cluster.status();
    const of = (id: number) => nodes.find(({ nodeId }) => nodeId === id);
    expect(of(lead)).toMatchObject({ state: "leader", lag: 0 });
    expect(of(behind)?.lag).toBeGreaterThanOrEqual(5);
    expect(of(behind)?.lag).toBe((of(lead)?.committed?.index ?? 0) - (of(behind)?.lastApplied?.index ?? 0));
    expect(partition).toEqual(
      [[lead, down].toSorted((a, b) => a - b), [behind]].toSorted(([a = 0], [b = 0]) => a - b),
    );
    expect(keys).toBe(3);
    expect(lastApplied).toEqual(of(lead)?.lastApplied);

    await settle(cluster.kill(behind));
    const dead = cluster.status().nodes.find(({ nodeId }) => nodeId === behind);
    expect(dead).toEqual({
      nodeId: behind,
      state: "down",
      member: "voter",
      term: null,
      lastLogId: null,
      committed: null,
      lastApplied: null,
      snapshot: null,
      purged: null,
      lag: null,
      mode: null,
      snapshotProgress: null,
      stalled: null,
    });
  });

  test("can be looked at when none leads, none runs, and after a shutdown", async () => {
    const { cluster, settle } = await startKeyValues();
    await settle(cluster.set(A, bytes("1")));
    for (const id of cluster.ids) await settle(cluster.kill(id));
    expect(cluster.status()).toMatchObject({ leaderId: null, keys: 1 });
    expect(cluster.status().nodes.map(({ state }) => state)).toEqual(["down", "down", "down"]);
    expect(await settle(cluster.snapshot())).toEqual([]);
    await settle(cluster.restart(1));
    expect(cluster.status().nodes[0]).toMatchObject({ state: "follower", lag: null });
    await settle(cluster.shutdown());
    expect(cluster.status()).toMatchObject({ leaderId: null, keys: 1 });
  });

  test("are counted the keys of the one that is furthest, whichever that is", async () => {
    const { cluster, settle } = await startKeyValues();
    for (const down of cluster.ids) {
      const before = cluster.status().keys;
      await settle(cluster.kill(down));
      await settle(cluster.set(bytes(`key ${down}`), A));
      expect(cluster.status().keys).toBe(before + 1);
      await settle(cluster.restart(down));
      await settle(cluster.cluster.read(() => undefined, down));
    }
  });

  test("of several that believe to lead, the one with the latest term does", async () => {
    // The others need not wait for as long as the old one goes on believing.
    const { cluster, clock, settle } = await startKeyValues({ config: { electionTimeoutMaxMs: 5000 } });
    const old = leader(cluster);
    cluster.partition([cluster.ids.filter((id) => id !== old)]);
    const others = cluster.cluster.running().filter(({ id }) => id !== old);
    await clock.runUntil("a second leader", () => others.some((node) => node.isLeader()), 5000);
    expect(cluster.cluster.node(old)?.isLeader()).toBe(true);
    expect(cluster.status().leaderId).not.toBe(old);
    await settle(cluster.shutdown());
  });

  test("take snapshots when told, all that run or one", async () => {
    const { cluster, clock, settle, failure } = await startKeyValues({
      config: { maxInSnapshotLogToKeep: 0 },
    });
    for (let i = 0; i < 10; i += 1) await settle(cluster.set(A, bytes(String(i))));
    await clock.advance(200);
    const { index } = cluster.status().lastApplied;
    await settle(cluster.kill(2));
    const [one] = await settle(cluster.snapshot(1));
    expect(one).toMatchObject({ nodeId: 1, logId: { index } });
    expect(cluster.status().nodes.map(({ purged }) => purged?.index ?? null)).toEqual([index, null, 0]);
    expect((await settle(cluster.snapshot())).map(({ nodeId }) => nodeId)).toEqual([1, 3]);
    // The first had nothing new to write.
    expect(cluster.status().snapshotsTaken).toBe(2);
    expect(await failure(cluster.snapshot(2), 0)).toMatchObject({ code: "nodeDown", nodeId: 2 });
  });

  test("that are down cannot be killed, those that do not exist not be touched", async () => {
    const { cluster, settle, failure } = await startKeyValues();
    await settle(cluster.kill(3));
    const error = await failure(cluster.kill(3), 0);
    expect(error).toMatchObject({ code: "nodeDown", nodeId: 3 });
    expect(error.message).toBe("node 3 is down: restart it first");
    for (const call of [() => cluster.kill(4), () => cluster.restart(4), () => cluster.snapshot(4)]) {
      expect(await failure(call(), 0)).toMatchObject({ code: "invalidValue", field: "node" });
    }
    expect(() => cluster.partition([[1, 4]])).toThrow("there is no node 4");
  });

  test("keep the old links when a partition is refused, and a new partition takes the place of the old one", async () => {
    const { cluster, clock, settle } = await startKeyValues();
    await settle(cluster.set(A, bytes("1")));
    cluster.partition([[1], [2], [3]]);
    expect(() =>
      cluster.partition([
        [1, 2],
        [2, 3],
      ]),
    ).toThrow("node 2 is named twice");
    expect(cluster.status().partition).toEqual([[1], [2], [3]]);
    await clock.advance(1000);
    expect(leaderOf(cluster.cluster)).toBeNull();
    expect(cluster.partition([[2, 3]])).toEqual([[1], [2, 3]]);
    await settle(cluster.set(A, bytes("2")));
    expect([2, 3]).toContain(leader(cluster));
    expect(cluster.partition([[1, 2, 3]])).toEqual([[1, 2, 3]]);
    expect(cluster.status().partition).toBeNull();
    const behind = (): number | null | undefined => cluster.status().nodes[0]?.lag;
    await clock.runUntil("node 1 to catch up", () => behind() === 0, 2000);
  });
});

describe("the members", () => {
  test("are shown with what they are, how the leader reaches them, and the snapshot on its way", async () => {
    const { cluster, clock, settle } = await startKeyValues({
      nodes: 1,
      config: { maxInSnapshotLogToKeep: 0, snapshotChunkBytes: 512 },
    });
    for (let i = 0; i < 100; i += 1) await settle(cluster.set(bytes(`key${i}`), bytes("value".repeat(10))));
    await settle(cluster.snapshot());
    expect(cluster.status().membership).toEqual({ configs: [[1]], learners: [], joint: false });
    const adding = cluster.addNode();
    const of2 = (): NodeStatus | undefined => cluster.status().nodes[1];
    const seen = { joint: false, learner: false, offsets: new Set<number>() };
    await clock.runUntil(
      "the node to vote",
      () => {
        const { membership } = cluster.status();
        const status = of2();
        seen.learner ||= status?.member === "learner" && membership?.learners.includes(2) === true;
        if (membership?.joint === true) {
          seen.joint = true;
          expect(membership.configs).toEqual([[1], [1, 2]]);
        }
        if (status?.mode === "snapshot" && status.snapshotProgress !== null) {
          expect(status.snapshotProgress.size).toBeGreaterThan(5000);
          seen.offsets.add(status.snapshotProgress.offset);
        }
        return membership?.configs.length === 1 && membership.configs[0]?.length === 2;
      },
      10_000,
    );
    expect(await settle(adding)).toBe(2);
    expect(seen).toMatchObject({ joint: true, learner: true });
    expect(seen.offsets.size).toBeGreaterThan(3);
    expect(of2()).toMatchObject({
      state: "follower",
      member: "voter",
      mode: "pipeline",
      snapshotProgress: null,
    });
    expect(cluster.status().nodes[0]).toMatchObject({ state: "leader", member: "voter", mode: null });
  });

  test("are shown as a leadership goes over, and go with their data", async () => {
    const { cluster, clock, settle } = await startKeyValues();
    await settle(cluster.set(A, bytes("1")));
    const to = cluster.ids.find((id) => id !== leader(cluster)) as number;
    const transfer = cluster.transferLeader(to);
    expect(cluster.status().transferTarget).toBeNull();
    await clock.runUntil("the transfer to begin", () => cluster.status().transferTarget === to, 100);
    expect(await settle(transfer)).toBe(to);
    expect(cluster.status().transferTarget).toBeNull();
    await settle(cluster.removeNode(to));
    expect(cluster.status().nodes).toHaveLength(2);
    expect(await settle(cluster.waitForLeader())).toBe(leader(cluster));
    expect(cluster.status().keys).toBe(1);
  });

  test("that are added while links are cut join the group of the leader, and those that leave leave their group", async () => {
    const { cluster, settle } = await startKeyValues();
    await settle(cluster.set(A, bytes("1")));
    const away = cluster.ids.find((id) => id !== leader(cluster)) as number;
    const together = cluster.ids.filter((id) => id !== away);
    cluster.partition([together]);
    expect(await settle(cluster.addNode())).toBe(4);
    expect(cluster.status().partition).toContainEqual([...together, 4]);
    expect(cluster.status().partition).toContainEqual([away]);
    const behind = cluster.status().nodes.find(({ nodeId }) => nodeId === away);
    await settle(cluster.set(B, bytes("2")));
    // The link to the one that is cut off is cut for the new node too.
    expect(cluster.cluster.lastApplied(away)).toEqual(behind?.lastApplied);
    await settle(cluster.removeNode(away));
    expect(cluster.status().partition).toBeNull();
  });

  test("that are not added in the end are in no group", async () => {
    const { cluster, settle, failure } = await startKeyValues({ nodes: 9 });
    await settle(cluster.set(A, bytes("1")));
    const away = cluster.ids.filter((id) => id !== leader(cluster)).slice(0, 3);
    const groups = cluster.partition([away, cluster.ids.filter((id) => !away.includes(id))]);
    expect(await failure(cluster.addNode())).toMatchObject({ code: "invalidValue", field: "node" });
    expect(cluster.status().partition).toEqual(groups);
    await settle(cluster.set(A, bytes("2")));
  });

  test("of a cluster of one that is restarted lead when waitForLeader answers", async () => {
    const { cluster, settle } = await startKeyValues({ nodes: 1 });
    await settle(cluster.restart(1));
    expect(await settle(cluster.waitForLeader())).toBe(1);
    expect(cluster.status().nodes[0]).toMatchObject({ state: "leader", term: 2 });
  });
});

describe("the options", () => {
  test.each<[string, object]>([
    ["options.nodes", { nodes: 10 }],
    ["options.timeoutMs", { timeoutMs: -1 }],
    ["options.limits.maxKeys", { limits: { maxKeys: 0 } }],
    ["options.limits.maxKey", { limits: { maxKey: 1 } }],
    ["options.size", { size: 3 }],
    ["config.electionTimeoutMinMs", { config: { electionTimeoutMinMs: 0 } }],
  ])("%s is refused by name (%j)", async (field, options) => {
    await expect(startKeyValueCluster(options)).rejects.toMatchObject({ code: "invalidValue", field });
  });
});
