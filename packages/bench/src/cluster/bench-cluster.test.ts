import { describe, expect, test } from "vitest";
import { runClosedLoop } from "../load/closed-loop.js";
import type { NodeStorage } from "./bench-cluster.js";
import { BenchCluster } from "./bench-cluster.js";
import type { EmptyConfig } from "./empty-log.js";
import { emptyStorage } from "./empty-storage.js";
import { VerificationError } from "./tally.js";

const ROUND = { seconds: Number.POSITIVE_INFINITY, operations: 200 };

/** A cluster of three, whose second node has the storage that `spoil` makes of it. */
function startCluster(
  spoil: (storage: NodeStorage<EmptyConfig>) => NodeStorage<EmptyConfig> = (storage) => storage,
): Promise<BenchCluster<EmptyConfig>> {
  let made = 0;
  return BenchCluster.start<EmptyConfig>({
    nodes: 3,
    makeStorage: () => {
      made += 1;
      return made === 2 ? spoil(emptyStorage()) : emptyStorage();
    },
  });
}

describe("a cluster proves what it did", () => {
  test("writes of many clients, in single calls and in batches, stand on all nodes in the same order", async () => {
    await using cluster = await startCluster();
    await runClosedLoop(
      cluster.writers(8, () => null),
      ROUND,
    );
    await runClosedLoop(cluster.batchWriters(3, [null, null, null]), ROUND);
    await cluster.verify();
    const [first, ...others] = cluster.storages.map(({ applied }) => applied);
    expect(first?.writes).toBeGreaterThanOrEqual(200 + 3 * 200);
    for (const other of others) expect(other).toEqual(first);
  });

  test("a follower that lags is waited for", async () => {
    await using cluster = await startCluster();
    cluster.cutOff(3);
    await runClosedLoop(
      cluster.writers(4, () => null),
      ROUND,
    );
    expect(cluster.storages[2]?.applied.writes).toBe(0);
    cluster.reconnect(3);
    await cluster.verify();
    expect(cluster.storages[2]?.applied.writes).toBe(cluster.storages[0]?.applied.writes);
  });
});

describe("a state machine that takes its time", () => {
  test("is waited for", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    await using cluster = await startCluster((storage) => {
      const apply = storage.stateMachine.apply.bind(storage.stateMachine);
      storage.stateMachine.apply = async (entries) => {
        await gate;
        return apply(entries);
      };
      return storage;
    });
    await runClosedLoop(
      cluster.writers(2, () => null),
      ROUND,
    );
    const verified = cluster.verify();
    expect(cluster.storages[1]?.applied.index).toBe(0);
    release();
    expect(await verified).toEqual({ verified: true });
  });
});

describe("work that was not done is found", () => {
  test("a write that nobody was told about", async () => {
    await using cluster = await startCluster();
    await cluster.leader.clientWrite(null);
    await expect(cluster.verify()).rejects.toThrow(/writes 1, and not 0/);
  });

  test("an answer to a write that was never applied", async () => {
    await using cluster = await startCluster();
    await runClosedLoop(
      cluster.writers(1, () => null),
      ROUND,
    );
    cluster.acknowledge(1000);
    await expect(cluster.verify()).rejects.toBeInstanceOf(VerificationError);
  });

  test("an answer under the index of another write", async () => {
    await using cluster = await startCluster();
    const { logId } = await cluster.leader.clientWrite(null);
    cluster.acknowledge(logId.index + 1);
    await expect(cluster.verify()).rejects.toThrow(/node 1 appended writesHash/);
  });

  test("a node that throws entries away instead of applying them", async () => {
    await using cluster = await startCluster((storage) => {
      const { stateMachine } = storage;
      const applied = storage.applied;
      stateMachine.apply = (entries) => entries.map(() => null);
      return { ...storage, applied };
    });
    await runClosedLoop(
      cluster.writers(2, () => null),
      ROUND,
    );
    await expect(cluster.verify()).rejects.toThrow(/node 2 applied index 0/);
  });

  test("a node that appends something else", async () => {
    await using cluster = await startCluster((storage) => {
      const append = storage.storage.append.bind(storage.storage);
      storage.storage.append = (entries, completion) =>
        append(
          entries.map((entry) =>
            entry.payload.type === "blank" ? { ...entry, logId: { ...entry.logId, term: 7 } } : entry,
          ),
          completion,
        );
      return storage;
    });
    await runClosedLoop(
      cluster.writers(2, () => null),
      ROUND,
    );
    await expect(cluster.verify()).rejects.toThrow(/node 2 appended orderHash/);
  });
});
