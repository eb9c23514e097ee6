import type {
  BytesTypeConfig,
  LogEntry,
  Request,
  Response,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
} from "@seshat/common";
import type {
  AppliedState,
  ApplyResponse,
  OpenRaftStateMachine,
  RaftStateMachine,
  SnapshotSink,
} from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { StubNetwork } from "../src/network/stub-network.js";
import { Raft } from "../src/raft.js";
import type { RaftNode } from "../src/raft-node.js";
import { SeededRandom } from "../src/testing.js";
import { deferred, outcomeOf } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, text, utf8 } from "./support/values.js";

const NEVER = { type: "never" } as const;

async function setMany(cluster: TestCluster, node: RaftNode, count: number, since = 0): Promise<void> {
  for (let i = since; i < since + count; i++) await cluster.set(node, `key ${i}`, String(i));
}

/** The content of the current snapshot. */
async function contentOf({ stateMachine }: OpenRaftMemStorage): Promise<Uint8Array> {
  const bytes: number[] = [];
  const snapshot = stateMachine.readCurrentSnapshot();
  if (snapshot === null) throw new Error("there is no snapshot");
  for await (const chunk of snapshot.data.read(0)) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

describe("snapshots", () => {
  test("the policy takes one after so many entries, and the log behind it is purged", async () => {
    const cluster = new TestCluster([1], {
      snapshotPolicy: { type: "logsSinceLast", entries: 10 },
      maxInSnapshotLogToKeep: 3,
    });
    const node = await cluster.found();
    await setMany(cluster, node, 7);
    expect(node.metrics()).toMatchObject({
      snapshot: logId(0, 0),
      purged: logId(0, 0),
      lastLogId: logId(1, 9),
    });
    await setMany(cluster, node, 1, 7);
    await cluster.clock.advance(0);
    expect(node.metrics()).toMatchObject({ snapshot: logId(1, 10), purged: logId(1, 7) });
    expect(cluster.storage(1).snapshot?.meta).toMatchObject({
      lastLogId: logId(1, 10),
      lastMembership: { logId: logId(0, 1) },
    });
    expect(cluster.storage(1).log.length).toBe(3);
    await setMany(cluster, node, 95, 8);
    await cluster.clock.advance(0);
    expect(node.metrics().snapshot.index).toBeGreaterThanOrEqual(100);
    expect(cluster.storage(1).log.length).toBeLessThanOrEqual(3 + 10);
  });

  test("with the policy `never` none is taken, and the log is kept, until one is asked for", async () => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER, maxInSnapshotLogToKeep: 0 });
    const node = await cluster.found();
    await setMany(cluster, node, 30);
    expect(cluster.storage(1).log.length).toBe(32);
    expect(await cluster.run(node.triggerSnapshot())).toEqual(logId(1, 32));
    expect(node.metrics()).toMatchObject({
      snapshot: logId(1, 32),
      purged: logId(1, 32),
      lastLogId: logId(1, 32),
    });
    expect(cluster.storage(1).log.length).toBe(0);
    await setMany(cluster, node, 1, 30);
    expect(node.metrics().lastLogId).toEqual(logId(1, 33));
  });

  test("asking again without anything new gives the one there is", async () => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const node = await cluster.found();
    await cluster.run(node.triggerSnapshot());
    const kept = cluster.storage(1).snapshot;
    expect(await cluster.run(node.triggerSnapshot())).toEqual(kept?.meta.lastLogId);
    expect(cluster.storage(1).snapshot).toBe(kept);
  });

  test("the log is purged by hand only as far as the snapshot allows", async () => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const node = await cluster.found();
    await setMany(cluster, node, 5);
    node.raft.trigger.purgeLog(4);
    await cluster.clock.advance(0);
    expect(node.metrics().purged).toEqual(logId(0, 0));
    await cluster.run(node.triggerSnapshot());
    node.raft.trigger.purgeLog(4);
    await cluster.clock.advance(0);
    expect(node.metrics().purged).toEqual(logId(1, 4));
    await setMany(cluster, node, 2, 5);
    node.raft.trigger.purgeLog(1_000_000);
    await cluster.clock.advance(0);
    expect(node.metrics()).toMatchObject({ purged: logId(1, 7), lastLogId: logId(1, 9) });
    expect(() => node.raft.trigger.purgeLog(-1)).toThrow(/^upto is -1/);
  });

  test("a snapshot trigger during a build converges: what came after the capture is in the next one", async () => {
    const kv = new KeyValueStateMachine();
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const gate = deferred();
    let captures = 0;
    const capture = kv.capture.bind(kv);
    kv.capture = () => {
      const captured = capture();
      captures += 1;
      return captures > 1
        ? captured
        : {
            async *chunks() {
              await gate.promise;
              yield* captured.chunks();
            },
          };
    };
    const storage = new OpenRaftMemStorage(kv);
    const node = await cluster.start(1, { storage });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const first = outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(0);
    await cluster.set(node, "a", "1");
    const second = outcomeOf(node.triggerSnapshot());
    const third = outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(1000);
    expect([first, second, third].map(({ values }) => values)).toEqual([[], [], []]);
    gate.resolve();
    await cluster.clock.advance(0);
    expect(first.values).toHaveLength(1);
    expect([second.values, third.values]).toEqual([[logId(1, 3)], [logId(1, 3)]]);
    expect(captures).toBe(2);
    expect(node.metrics().snapshot).toEqual(logId(1, 3));
  });

  test("applies go on while one is built, and do not show in it", async () => {
    const kv = new KeyValueStateMachine();
    const gate = deferred();
    const capture = kv.capture.bind(kv);
    kv.capture = () => {
      const captured = capture();
      return {
        async *chunks() {
          await gate.promise;
          yield* captured.chunks();
        },
      };
    };
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const storage = new OpenRaftMemStorage(kv);
    const node = await cluster.start(1, { storage });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    await cluster.set(node, "before", "1");
    const built = outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(0);
    await cluster.set(node, "after", "2");
    gate.resolve();
    await cluster.clock.advance(0);
    expect(built.values).toEqual([logId(1, 3)]);
    const restored = new KeyValueStateMachine();
    const snapshot = storage.stateMachine.readCurrentSnapshot() as Snapshot;
    await new OpenRaftMemStorage(restored).stateMachine.installSnapshot(snapshot, () => Promise.resolve());
    expect([text(restored.get(utf8("before"))), text(restored.get(utf8("after")))]).toEqual(["1", null]);
  });

  test("a restored snapshot equals the state it came from, byte for byte", async () => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const node = await cluster.found();
    await setMany(cluster, node, 40);
    await cluster.run(node.triggerSnapshot());
    const snapshot = cluster.storage(1).snapshot as Snapshot;
    const other = new OpenRaftMemStorage(new KeyValueStateMachine());
    await other.stateMachine.installSnapshot(snapshot, () => Promise.resolve());
    expect(other.stateMachine.readAppliedState()).toEqual(cluster.storage(1).stateMachine.readAppliedState());
    await other.stateMachine.snapshotBuilder().buildSnapshot(() => Promise.resolve());
    expect(await contentOf(other)).toEqual(await contentOf(cluster.storage(1)));
  });
});

describe("a restart from the same storage object", () => {
  test("goes on where it was: state, log, term and membership, in a later term", async () => {
    const cluster = new TestCluster([1], {
      snapshotPolicy: { type: "logsSinceLast", entries: 8 },
      maxInSnapshotLogToKeep: 2,
    });
    const node = await cluster.found();
    await setMany(cluster, node, 20);
    await cluster.clock.advance(0);
    const before = node.metrics();
    await cluster.stop(1);
    const next = await cluster.start(1);
    expect(next.metrics()).toMatchObject({
      term: before.term,
      vote: before.vote,
      lastLogId: before.lastLogId,
      lastApplied: before.lastApplied,
      committed: before.committed,
      snapshot: before.snapshot,
      purged: before.purged,
      membership: before.membership,
    });
    await cluster.waitForLeader();
    expect(next.metrics()).toMatchObject({
      term: before.term + 1,
      lastLogId: logId(before.term + 1, before.lastLogId.index + 1),
    });
    expect(cluster.get(1, "key 0")).toBe("0");
    await cluster.set(next, "key 0", "again");
    expect(cluster.get(1, "key 0")).toBe("again");
  });

  test("a hundred times over, with snapshots and purges in between, loses nothing", async () => {
    const cluster = new TestCluster([1], {
      snapshotPolicy: { type: "logsSinceLast", entries: 7 },
      maxInSnapshotLogToKeep: 1,
    });
    await cluster.found();
    for (let round = 0; round < 100; round++) {
      const node = await cluster.waitForLeader();
      await setMany(cluster, node, 3, round * 3);
      await cluster.stop(1);
      await cluster.start(1);
    }
    await cluster.waitForLeader();
    for (let i = 0; i < 300; i++) expect(cluster.get(1, `key ${i}`)).toBe(String(i));
    expect(cluster.node(1).metrics().term).toBe(101);
  });

  test("waits until what was appended is durable: nothing that was not synced is taken for durable", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    const stopped = outcomeOf(node.shutdown());
    await cluster.clock.advance(60_000);
    expect(write.errors).toHaveLength(1);
    expect(stopped.values).toHaveLength(0);
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(stopped.values).toHaveLength(1);
  });

  test("entries that were committed and not applied are applied again, and applied never exceeds committed", async () => {
    const cluster = new TestCluster([1], { maxApplyEntries: 2, logCacheEntries: 1 });
    const node = await cluster.found();
    const writes = Array.from({ length: 9 }, (_, i) =>
      outcomeOf(node.propose(setCommand(`key ${i}`, String(i)))),
    );
    // Stop between two chunks of the backlog.
    await cluster.clock.runUntil("the first chunk", () => cluster.get(1, "key 1") !== null, 100);
    const stopped = node.shutdown();
    await cluster.run(stopped);
    expect(cluster.get(1, "key 8")).toBeNull();
    expect(writes.every(({ values, errors }) => values.length + errors.length === 1)).toBe(true);
    const seen: [number, number][] = [];
    const next = await cluster.start(1);
    const look = (): boolean => {
      const { lastApplied, committed } = next.metrics();
      seen.push([lastApplied.index, committed.index]);
      return cluster.get(1, "key 8") === "8";
    };
    await cluster.clock.runUntil("everything to be applied", look, 1000);
    expect(seen.length).toBeGreaterThan(1);
    for (const [applied, committed] of seen) expect(applied).toBeLessThanOrEqual(committed);
    for (let i = 0; i < 9; i++) expect(cluster.get(1, `key ${i}`)).toBe(String(i));
  });
});

/** A state machine that is lost with the process, over snapshots that are not: it remembers nothing that it applied. */
class Transient implements RaftStateMachine<BytesTypeConfig> {
  readonly kept: { snapshot: Snapshot | null };
  readonly kv = new KeyValueStateMachine();
  readonly #inner: OpenRaftStateMachine<Request, Response>;
  applied = 0;

  constructor(kept: { snapshot: Snapshot | null }) {
    this.kept = kept;
    this.#inner = new OpenRaftMemStorage(this.kv).stateMachine;
  }

  readAppliedState(): AppliedState<{ readonly addr: string }> {
    return this.#inner.readAppliedState();
  }
  apply(entries: readonly LogEntry<Request>[]): readonly ApplyResponse<Response>[] {
    this.applied += entries.length;
    return this.#inner.apply(entries);
  }
  snapshotBuilder(): { buildSnapshot(pause: () => Promise<void>): Promise<Snapshot> } {
    const builder = this.#inner.snapshotBuilder();
    return {
      buildSnapshot: async (pause) => {
        this.kept.snapshot = await builder.buildSnapshot(pause);
        return this.kept.snapshot;
      },
    };
  }
  readCurrentSnapshot(): Snapshot | null {
    return this.kept.snapshot;
  }
  receiveSnapshot(meta: SnapshotMeta, size: number): SnapshotSink<SnapshotData> {
    return this.#inner.receiveSnapshot(meta, size);
  }
  installSnapshot(snapshot: Snapshot, pause: () => Promise<void>): Promise<void> {
    return this.#inner.installSnapshot(snapshot, pause);
  }
}

describe("a transient state machine", () => {
  test("re-applies after a restart: the snapshot first, then the log behind it", async () => {
    const cluster = new TestCluster([1]);
    const storage = cluster.storage(1);
    const kept: { snapshot: Snapshot | null } = { snapshot: null };
    const start = (stateMachine: Transient): Promise<Raft<BytesTypeConfig>> =>
      cluster.run(
        Raft.create<BytesTypeConfig>({
          id: 1,
          storage,
          stateMachine,
          network: new StubNetwork(),
          config: { snapshotPolicy: NEVER, maxInSnapshotLogToKeep: 0 },
          runtime: cluster.clock.runtime(new SeededRandom(3)),
          checkInvariants: true,
        }),
      );

    const first = new Transient(kept);
    let raft = await start(first);
    await cluster.run(raft.initialize(nodesFor(1)));
    await cluster.run(raft.wait({ what: "a leader", holds: ({ state }) => state === "leader" }, 1000));
    for (const key of ["a", "b"]) await cluster.run(raft.clientWrite({ data: setCommand(key, "1") }));
    await cluster.run(raft.shutdown());

    // Without a snapshot everything is applied again from the log.
    const second = new Transient(kept);
    raft = await start(second);
    await cluster.run(
      raft.wait({ what: "the old entries", holds: ({ lastApplied }) => lastApplied.index >= 4 }, 1000),
    );
    expect(text(second.kv.get(utf8("b")))).toBe("1");
    await cluster.run(raft.trigger.snapshot());
    await cluster.run(raft.clientWrite({ data: setCommand("c", "3") }));
    expect(raft.metrics().purged.index).toBeGreaterThanOrEqual(4);
    await cluster.run(raft.shutdown());

    const third = new Transient(kept);
    raft = await start(third);
    expect(kept.snapshot?.meta.lastLogId).toEqual(logId(1, 4));
    await cluster.run(raft.wait({ what: "the rest", holds: () => third.kv.has(utf8("c")) }, 1000));
    expect(["a", "b", "c"].map((key) => text(third.kv.get(utf8(key))))).toEqual(["1", "1", "3"]);
    // Only the entries after the snapshot: the blank one of the second life, the write, the blank one of the third.
    await cluster.run(
      raft.wait(
        {
          what: "a leader",
          holds: ({ state, lastApplied }) => state === "leader" && lastApplied.index === 7,
        },
        1000,
      ),
    );
    expect(third.applied).toBe(3);
    await cluster.run(raft.shutdown());
  });
});
