import {
  InvalidValueError,
  NotLeaderError,
  ShutdownError,
  StoppedError,
  StorageError,
  UnknownOutcomeError,
} from "@seshat/common";
import { OperationTooLargeError } from "@seshat/storage";
import { until } from "@seshat/raft";
import { describe, expect, test } from "vitest";
import { bytes } from "../test/support/bytes.js";
import { CommandRefusedError, RestartingError } from "./errors.js";
import { startSingleNodeCluster } from "./single-node-cluster.js";
import type { SingleNodeClusterOptions } from "./single-node-options.js";

const A = bytes("a");
const B = bytes("b");

/** What a promise rejected with; fails the test when it resolved. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );
}

describe("a cluster of one", () => {
  test("leads as soon as it has started, and has gone through an election", async () => {
    await using cluster = await startSingleNodeCluster();
    expect(cluster.status()).toMatchObject({
      nodeId: 1,
      state: "leader",
      leaderId: 1,
      term: 1,
      keys: 0,
      restarts: 0,
    });
    expect(cluster.storage.vote).toEqual({ term: 1, votedFor: 1, committed: true });
    expect(cluster.node.isLeader()).toBe(true);
  });

  test("sets, reads, counts and removes any bytes", async () => {
    await using cluster = await startSingleNodeCluster();
    const value = bytes("\0\xff\xfe\n");
    await cluster.set(A, value);
    await cluster.set(bytes(""), bytes(""));
    expect(await cluster.get(A)).toEqual(value);
    expect(await cluster.get(bytes(""))).toEqual(bytes(""));
    expect(await cluster.get(B)).toBeNull();
    expect(await cluster.exists([A, B, A])).toBe(2);
    expect(await cluster.del([A, B, A])).toBe(1);
    expect(await cluster.get(A)).toBeNull();
    expect(cluster.status().keys).toBe(1);
  });

  test("a write answers with its place in the log, after it was applied", async () => {
    await using cluster = await startSingleNodeCluster();
    const first = await cluster.set(A, B);
    const second = await cluster.set(A, A);
    expect(second).toEqual({ term: 1, index: first.index + 1 });
    expect(cluster.status().lastApplied).toEqual(second);
  });

  test("what the caller does to its arrays afterwards changes nothing", async () => {
    await using cluster = await startSingleNodeCluster();
    const key = bytes("k");
    const value = bytes("v");
    const written = cluster.set(key, value);
    key.fill(0);
    value.fill(0);
    await written;
    expect(await cluster.get(bytes("k"))).toEqual(bytes("v"));
    (await cluster.get(bytes("k")))?.fill(0);
    expect(await cluster.get(bytes("k"))).toEqual(bytes("v"));
  });

  test("a read that cannot be made linearizable answers nothing", async () => {
    await using cluster = await startSingleNodeCluster();
    await cluster.set(A, B);
    cluster.node.ensureLinearizable = () => Promise.reject(new NotLeaderError(2, null));
    expect(await rejection(cluster.get(A))).toBeInstanceOf(NotLeaderError);
    expect(await rejection(cluster.exists([A]))).toBeInstanceOf(NotLeaderError);
  });

  test("a read sees every write that was made before it, though the write is not awaited", async () => {
    await using cluster = await startSingleNodeCluster();
    const writes = Array.from({ length: 100 }, (_, i) => cluster.set(A, bytes(String(i))));
    await Promise.all(writes);
    expect(await cluster.get(A)).toEqual(bytes("99"));
  });
});

describe("bad input", () => {
  test.each([
    [{ nodeId: 0 }, "options.nodeId"],
    [{ nodeId: 1.5 }, "options.nodeId"],
    [{ startTimeoutMs: 0 }, "options.startTimeoutMs"],
    [{ limits: { maxKeyBytes: 0 } }, "options.limits.maxKeyBytes"],
    [{ limits: { maxValueBytes: -1 } }, "options.limits.maxValueBytes"],
    [{ limits: { maxKeys: Number.NaN } }, "options.limits.maxKeys"],
    [{ limits: { maxKeyByte: 1 } }, "options.limits.maxKeyByte"],
    [{ nodeID: 2 }, "options.nodeID"],
    [{ config: { heartbeatIntervalMs: 1000 } }, "config.heartbeatIntervalMs"],
    [
      { config: { snapshotPolicy: { type: "logsSinceLast" as const, entries: 0 } } },
      "config.snapshotPolicy.entries",
    ],
  ])("%j is refused, and the error names %s", async (options, field) => {
    const error = await rejection(startSingleNodeCluster(options as SingleNodeClusterOptions));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field });
  });

  test("keys, values and numbers of keys past the limits are refused before anything is written", async () => {
    await using cluster = await startSingleNodeCluster({
      limits: { maxKeyBytes: 2, maxValueBytes: 3, maxKeys: 2 },
    });
    const before = cluster.status().lastLogId;
    const long = bytes("abc");
    const refusals: [Promise<unknown>, string][] = [
      [cluster.set(long, A), "operation.key"],
      [cluster.set(A, bytes("1234")), "operation.value"],
      [cluster.del([A, long]), "operation.keys[1]"],
      [cluster.del([A, A, A]), "operation.keys"],
      [cluster.get(long), "operation.key"],
      [cluster.exists([A, long]), "operation.keys[1]"],
      [cluster.exists([A, A, A]), "operation.keys"],
    ];
    for (const [call, field] of refusals) {
      const error = await rejection(call);
      expect(error).toBeInstanceOf(OperationTooLargeError);
      expect(error).toMatchObject({ field });
    }
    expect(cluster.status().lastLogId).toEqual(before);
    await cluster.set(bytes("ab"), bytes("123"));
  });

  test.each([
    ["del", (cluster: { del(keys: Uint8Array[]): Promise<number> }) => cluster.del([])],
    [
      "set",
      (cluster: { set(key: Uint8Array, value: Uint8Array): Promise<unknown> }) =>
        cluster.set(A, "text" as unknown as Uint8Array),
    ],
  ])("an argument of %s that is no such thing at all is refused", async (_, call) => {
    await using cluster = await startSingleNodeCluster();
    expect(await rejection(call(cluster))).toBeInstanceOf(InvalidValueError);
  });

  test("a command that the state machine refuses is an error that says why, and the node goes on", async () => {
    await using cluster = await startSingleNodeCluster();
    const inner = cluster.storage.stateMachine.inner;
    const apply = inner.apply.bind(inner);
    const refusal = { code: "full", message: "there is no room" };
    inner.apply = () => ({ result: bytes(""), error: refusal });
    const error = await rejection(cluster.set(A, B));
    expect(error).toBeInstanceOf(CommandRefusedError);
    expect(error).toMatchObject({
      refusal,
      message: "the state machine refused the command: there is no room",
    });
    inner.apply = apply;
    await cluster.set(A, B);
  });
});

describe("snapshots", () => {
  test("are taken by the policy, the log behind them is purged, and the rest is kept", async () => {
    await using cluster = await startSingleNodeCluster({
      config: { snapshotPolicy: { type: "logsSinceLast", entries: 20 }, maxInSnapshotLogToKeep: 3 },
    });
    for (let round = 1; round <= 6; round += 1) {
      let last = 0;
      for (let i = 0; i < 20; i += 1)
        last = (await cluster.set(bytes(`k${i}`), bytes(`v${round} ${i}`))).index;
      // Builds go on beside the writes: this round has filled the policy again, so another one is sure to come.
      await cluster.node.raft.wait(until.snapshot(last - 19), 10_000);
      const { snapshot, purged, snapshotsTaken } = cluster.status();
      expect(purged.index).toBe(snapshot.index - 3);
      expect(snapshotsTaken).toBeGreaterThanOrEqual(round);
    }
    for (let i = 0; i < 20; i += 1) expect(await cluster.get(bytes(`k${i}`))).toEqual(bytes(`v6 ${i}`));
  });

  test("one asked for answers with the last entry that it holds", async () => {
    await using cluster = await startSingleNodeCluster({ config: { snapshotPolicy: { type: "never" } } });
    const last = await cluster.set(A, B);
    expect(cluster.status().snapshotsTaken).toBe(0);
    expect(await cluster.snapshot()).toEqual(last);
    expect(cluster.status()).toMatchObject({ snapshotsTaken: 1, snapshot: last });
    expect(cluster.storage.snapshot?.meta.lastLogId).toEqual(last);
  });
});

describe("restart", () => {
  test("goes on over the same storage where the last node was, in a later term", async () => {
    await using cluster = await startSingleNodeCluster();
    const before = cluster.node;
    const last = await cluster.set(A, B);
    await cluster.restart();
    expect(cluster.node).not.toBe(before);
    expect(before.metrics().state).toBe("stopped");
    expect(cluster.status()).toMatchObject({ state: "leader", term: 2, restarts: 1, keys: 1 });
    expect(await cluster.get(A)).toEqual(B);
    expect((await cluster.set(A, A)).index).toBeGreaterThan(last.index);
    await cluster.restart();
    expect(await cluster.get(A)).toEqual(A);
    expect(cluster.status()).toMatchObject({ term: 3, restarts: 2 });
  });

  test("keeps what a snapshot holds when the log is gone, and counts snapshots on", async () => {
    await using cluster = await startSingleNodeCluster({ config: { maxInSnapshotLogToKeep: 0 } });
    await cluster.set(A, B);
    await cluster.snapshot();
    await cluster.restart();
    expect(await cluster.get(A)).toEqual(B);
    await cluster.snapshot();
    expect(cluster.status().snapshotsTaken).toBe(2);
  });

  test("refuses calls made in the meantime, and they did nothing", async () => {
    await using cluster = await startSingleNodeCluster();
    await cluster.set(A, A);
    const restart = cluster.restart();
    for (const call of [
      cluster.set(A, B),
      cluster.get(A),
      cluster.del([A]),
      cluster.exists([A]),
      cluster.snapshot(),
      cluster.restart(),
    ]) {
      expect(await rejection(call)).toBeInstanceOf(RestartingError);
    }
    expect(cluster.status().nodeId).toBe(1);
    await restart;
    expect(await cluster.get(A)).toEqual(A);
  });

  test("settles every call that is under way, and what was answered is there afterwards", async () => {
    await using cluster = await startSingleNodeCluster();
    const writes = Array.from({ length: 50 }, (_, i) => cluster.set(bytes(`k${i}`), A));
    const reads = Array.from({ length: 50 }, () => cluster.get(A));
    const restart = cluster.restart();
    const settled = await Promise.allSettled(writes);
    for (const read of await Promise.allSettled(reads)) {
      if (read.status === "rejected") expect(read.reason).toBeInstanceOf(ShutdownError);
    }
    await restart;
    for (const [i, write] of settled.entries()) {
      const present = (await cluster.exists([bytes(`k${i}`)])) === 1;
      if (write.status === "fulfilled") expect(present).toBe(true);
      else if (write.reason instanceof ShutdownError) expect(present).toBe(false);
      else expect(write.reason).toBeInstanceOf(UnknownOutcomeError);
    }
  });

  test("that fails says why, then and in every later call, and shutdown still works", async () => {
    const cluster = await startSingleNodeCluster();
    cluster.storage.saveVote = () => {
      throw new StorageError("save vote", "the disk is gone");
    };
    expect(await rejection(cluster.restart())).toMatchObject({
      message: expect.stringContaining("the disk is gone"),
    });
    for (const call of [cluster.set(A, A), cluster.get(A), cluster.snapshot(), cluster.restart()]) {
      const error = await rejection(call);
      expect(error).toBeInstanceOf(StoppedError);
      expect(error).toMatchObject({ message: expect.stringContaining("the disk is gone") });
    }
    await cluster.shutdown();
    expect(await rejection(cluster.get(A))).toBeInstanceOf(ShutdownError);
  });
});

describe("shutdown", () => {
  test("refuses every later call, can be called twice, and the status can still be asked", async () => {
    const cluster = await startSingleNodeCluster();
    await cluster.set(A, B);
    await Promise.all([cluster.shutdown(), cluster.shutdown()]);
    await cluster.shutdown();
    for (const call of [
      cluster.set(A, A),
      cluster.get(A),
      cluster.del([A]),
      cluster.exists([A]),
      cluster.snapshot(),
      cluster.restart(),
    ]) {
      expect(await rejection(call)).toBeInstanceOf(ShutdownError);
    }
    expect(cluster.status()).toMatchObject({ state: "stopped", leaderId: null, keys: 1 });
  });

  test("in the middle of a restart stops the new node too", async () => {
    const cluster = await startSingleNodeCluster();
    const before = cluster.node;
    const restart = cluster.restart();
    await cluster.shutdown();
    await restart;
    expect(cluster.node).not.toBe(before);
    expect(cluster.node.metrics().state).toBe("stopped");
    expect(await rejection(cluster.get(A))).toBeInstanceOf(ShutdownError);
    expect(await rejection(cluster.restart())).toBeInstanceOf(ShutdownError);
  });

  test("comes with await using", async () => {
    let node;
    {
      await using cluster = await startSingleNodeCluster();
      node = cluster.node;
    }
    expect(node.metrics().state).toBe("stopped");
  });
});
