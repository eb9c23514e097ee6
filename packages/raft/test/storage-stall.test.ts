import type { NodeId } from "@seshat/common";
import { NotLeaderError, StorageStalledError, UnknownOutcomeError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import type { Deferred, Outcome } from "./support/promises.js";
import { deferred, outcomeOf } from "./support/promises.js";
import type { ScriptedStorage } from "./support/scripted-storage.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const IDS = [1, 2, 3] as const;
const STALL_MS = 1000;

function hangAll(storage: ScriptedStorage): void {
  for (const call of ["saveVote", "append", "truncate", "purge", "saveCommitted"] as const)
    storage.hanging.add(call);
}

async function error(outcome: Outcome<unknown>, cluster: TestCluster): Promise<Error | undefined> {
  await cluster.clock.advance(0);
  return outcome.errors[0];
}

describe("the leader's disk hangs", () => {
  test("another is elected, the cause is in every later error, and the node comes back when the disk answers", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.converge();
    const others = cluster.others(old.id);
    hangAll(cluster.storage(old.id));
    // Its followers commit it; it cannot say so, for it cannot apply what is not durable on its own disk.
    const write = outcomeOf(old.propose(setCommand("during", "1")));
    await cluster.clock.advance(STALL_MS - 1);
    expect(old.isLeader()).toBe(true);
    await cluster.clock.advance(1);
    expect(old.isLeader()).toBe(false);
    expect(old.metrics()).toMatchObject({ storageStalled: expect.any(String) as string, stopCause: null });
    const refused = await error(outcomeOf(old.propose(setCommand("after", "1"))), cluster);
    expect(refused).toBeInstanceOf(StorageStalledError);
    expect(await error(outcomeOf(old.ensureLinearizable()), cluster)).toBeInstanceOf(StorageStalledError);

    const next = await cluster.waitForLeader(others);
    await cluster.set(next, "elsewhere", "2");
    await cluster.clock.advance(500);
    // Now it knows whom to ask.
    const redirected = await error(outcomeOf(old.propose(setCommand("after", "1"))), cluster);
    expect(redirected).toBeInstanceOf(NotLeaderError);
    expect(redirected).toMatchObject({ leaderId: next.id });

    cluster.storage(old.id).resume();
    await cluster.converge();
    expect(old.metrics().storageStalled).toBeNull();
    for (const id of IDS) expect(cluster.get(id, "elsewhere")).toBe("2");
    expect([
      write.values.length + write.errors.length,
      write.errors.every((e) => e instanceof UnknownOutcomeError),
    ]).toEqual([1, true]);
    // It votes, and may lead, again.
    await cluster.run(next.transferLeader({ to: old.id }));
    await cluster.clock.runUntil("its turn", () => old.isLeader(), 10_000);
    await cluster.set(old, "again", "3");
  });

  test("it neither stands nor votes while it hangs, however long", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.converge();
    const others = cluster.others(old.id);
    hangAll(cluster.storage(old.id));
    void outcomeOf(old.propose(setCommand("a", "1")));
    const next = await cluster.waitForLeader(others);
    const { term } = next.metrics();
    // Without it there is no majority: nobody leads, although it could be asked.
    const silent = others.find((id) => id !== next.id) as NodeId;
    await cluster.stop(silent);
    await cluster.clock.advance(10_000);
    expect(next.isLeader()).toBe(false);
    expect(old.metrics()).toMatchObject({ state: "follower" });
    expect(old.metrics().term).toBeGreaterThanOrEqual(term);
    cluster.storage(old.id).resume();
    await cluster.set(await cluster.waitForLeader([old.id, next.id]), "b", "2");
  });
});

/** A cluster whose node `id` hangs in one way, and how to end that. */
interface Hang {
  readonly verb: string;
  /** Makes it hang, and brings it to the point. */
  start(cluster: TestCluster, node: RaftNode): Promise<void> | void;
  end(cluster: TestCluster, node: RaftNode): void;
}

function writes(cluster: TestCluster, node: RaftNode): void {
  void outcomeOf(node.propose(setCommand("hang", "1")));
  void cluster;
}

/** Replaces a method by one that waits first. */
function gate(target: object, method: string): Deferred<void> {
  const end = deferred();
  const original = Reflect.get(target, method) as (...given: unknown[]) => unknown;
  Object.assign(target, {
    [method]: (...given: unknown[]) =>
      end.promise.then((): unknown => Reflect.apply(original, target, given)),
  });
  const restore = (): void => void Reflect.deleteProperty(target, method);
  void end.promise.then(restore);
  return end;
}

let gates: Deferred<void>[] = [];

const HANGS: Record<string, Hang> = {
  "the call of an append": {
    verb: "append",
    start: (cluster, node) => {
      cluster.storage(node.id).hanging.add("append");
      writes(cluster, node);
    },
    end: (cluster, node) => cluster.storage(node.id).resume(),
  },
  "the completion of an append": {
    verb: "append",
    start: (cluster, node) => {
      cluster.storage(node.id).holdsCompletions = true;
      writes(cluster, node);
    },
    end: (cluster, node) => {
      const storage = cluster.storage(node.id);
      storage.holdsCompletions = false;
      storage.completeHeld();
    },
  },
  "a purge": {
    verb: "purge",
    start: async (cluster, node) => {
      cluster.storage(node.id).hanging.add("purge");
      await cluster.run(node.triggerSnapshot());
    },
    end: (cluster, node) => cluster.storage(node.id).resume(),
  },
  "the saving of what is committed": {
    verb: "save committed",
    start: (cluster, node) => {
      cluster.storage(node.id).hanging.add("saveCommitted");
      writes(cluster, node);
    },
    end: (cluster, node) => cluster.storage(node.id).resume(),
  },
  "an apply": {
    verb: "apply",
    start: (cluster, node) => {
      gates.push(gate(cluster.storage(node.id).stateMachine, "apply"));
      writes(cluster, node);
    },
    end: () => gates.splice(0).forEach((end) => end.resolve()),
  },
};

describe("a leader that hangs steps down, and says in what", () => {
  test.each(Object.keys(HANGS))("%s", async (name) => {
    const hang = HANGS[name] as Hang;
    gates = [];
    const cluster = new TestCluster(IDS, { snapshotPolicy: { type: "never" }, maxInSnapshotLogToKeep: 0 });
    const old = await cluster.found();
    await cluster.converge();
    await hang.start(cluster, old);
    await cluster.clock.advance(STALL_MS);
    expect(old.metrics().storageStalled).toBe(hang.verb);
    expect(old.isLeader()).toBe(false);
    const line = cluster.history.find((entry) => entry.includes("raft.storage.stalled"));
    expect(line).toContain(`"verb":"${hang.verb}"`);
    const next = await cluster.waitForLeader(cluster.others(old.id));
    await cluster.set(next, "a", "1");
    hang.end(cluster, old);
    await cluster.converge();
    expect(old.metrics().storageStalled).toBeNull();
    expect(cluster.get(old.id, "a")).toBe("1");
    expect(cluster.history.some((entry) => entry.includes("raft.storage.resumed"))).toBe(true);
  });

  test("the reading of entries for a follower", async () => {
    const cluster = new TestCluster(IDS, { logCacheEntries: 1, snapshotPolicy: { type: "never" } });
    const old = await cluster.found();
    await cluster.converge();
    const [late, other] = cluster.others(old.id) as [NodeId, NodeId];
    await cluster.stop(late);
    for (const key of ["a", "b", "c"]) await cluster.set(old, key, "1");
    await cluster.converge();
    const end = gate(cluster.storage(old.id), "readEntries");
    await cluster.start(late);
    await cluster.clock.runUntil("the stall", () => old.metrics().storageStalled !== null, 10_000);
    expect(old.metrics().storageStalled).toBe("read log");
    const next = await cluster.waitForLeader([other]);
    end.resolve();
    await cluster.converge();
    expect(next.isLeader()).toBe(true);
    expect(cluster.get(late, "c")).toBe("1");
  });
});

describe("a leader whose appends hang, and not for long", () => {
  test("sends what its storage does not have yet, however small its cache", async () => {
    const cluster = new TestCluster(IDS, { logCacheEntries: 2, snapshotPolicy: { type: "never" } });
    const leader = await cluster.found();
    await cluster.converge();
    const late = cluster.others(leader.id)[0] as NodeId;
    cluster.network.partition([late], cluster.others(late));
    // Some that it lacks are read from storage, and some cannot be yet.
    for (const key of ["a", "b", "c", "d"]) await cluster.set(leader, key, "1");
    await cluster.clock.advance(500);
    cluster.storage(leader.id).hanging.add("append");
    const writes = [];
    for (let i = 0; i < 5; i++) {
      writes.push(outcomeOf(leader.propose(setCommand(`key ${i}`, "1"))));
      await cluster.clock.advance(1);
    }
    cluster.network.heal();
    await cluster.clock.advance(500);
    expect(leader.isLeader()).toBe(true);
    expect(cluster.history.filter((line) => line.includes("raft.read.failed"))).toEqual([]);
    expect(cluster.node(late).metrics().lastLogId).toEqual(leader.metrics().lastLogId);
    cluster.storage(leader.id).resume();
    await cluster.converge();
    expect(writes.map(({ values }) => values.length)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe("a follower that hangs", () => {
  test.each(["saveVote", "truncate"] as const)("in %s takes no part until it answers again", async (call) => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    await cluster.converge();
    const others = cluster.others(old.id);
    cluster.network.partition([old.id], others);
    for (let i = 0; i < 3; i++) void outcomeOf(old.propose(setCommand("own", String(i))));
    const next = await cluster.waitForLeader(others);
    await cluster.set(next, "a", "1");
    const storage = cluster.storage(old.id);
    storage.hanging.add(call);
    cluster.network.heal();
    await cluster.clock.runUntil("the stall", () => old.metrics().storageStalled !== null, 10_000);
    expect(old.metrics().storageStalled).toBe(call === "truncate" ? "truncate" : "save vote");
    expect(next.isLeader()).toBe(true);
    await cluster.set(next, "b", "1");
    storage.resume();
    await cluster.converge();
    expect(cluster.get(old.id, "b")).toBe("1");
    expect(cluster.get(old.id, "own")).toBeNull();
  });

  test("for ten minutes collects no more than its bounds, and catches up", async () => {
    const config = {
      maxPendingRequests: 50,
      snapshotPolicy: { type: "logsSinceLast", entries: 100 },
    } as const;
    const cluster = new TestCluster(IDS, {
      ...config,
      maxInSnapshotLogToKeep: 10,
      maxLogToKeepForFollowers: 50,
    });
    const leader = await cluster.found();
    await cluster.converge();
    const slow = cluster.others(leader.id)[0] as NodeId;
    const storage = cluster.storage(slow);
    storage.hanging.add("append");
    storage.calls.length = 0;
    for (let i = 0; i < 300; i++) {
      await cluster.set(leader, `key ${i}`, "1");
      await cluster.clock.advance(2000);
    }
    expect(leader.isLeader()).toBe(true);
    expect(cluster.node(slow).metrics().storageStalled).toBe("append");
    expect(storage.calls.length).toBeLessThan(3);
    expect(cluster.storage(leader.id).log.length).toBeLessThan(300);
    storage.resume();
    await cluster.clock.advance(0);
    // What had piled up: a window of entries at the most.
    expect(storage.calls.length).toBeLessThan(100);
    await cluster.converge();
    expect(cluster.get(slow, "key 299")).toBe("1");
  });
});

describe("work on a snapshot that hangs is told, in metrics and in the log", () => {
  const LIMIT_MS = 10_000;
  const config = {
    snapshotPolicy: { type: "never" },
    maxInSnapshotLogToKeep: 0,
    maxLogToKeepForFollowers: 0,
  } as const;

  const told = (cluster: TestCluster, event: string): string[] =>
    cluster.history.filter((line) => line.includes(`raft.snapshot.${event}`));

  test("a build: the leader applies and answers meanwhile, so it leads on", async () => {
    const cluster = new TestCluster(IDS, config);
    const leader = await cluster.found();
    await cluster.converge();
    const builder = cluster.storage(leader.id).stateMachine.snapshotBuilder();
    const end = gate(builder, "buildSnapshot");
    Object.assign(cluster.storage(leader.id).stateMachine, { snapshotBuilder: () => builder });
    const built = outcomeOf(leader.triggerSnapshot());
    await cluster.clock.advance(LIMIT_MS - 1);
    expect(leader.metrics().snapshotStalled).toBeNull();
    await cluster.clock.advance(1);
    expect(leader.metrics()).toMatchObject({ snapshotStalled: "build snapshot", storageStalled: null });
    expect(told(cluster, "stalled")).toEqual([expect.stringContaining('"verb":"build snapshot"')]);
    await cluster.set(leader, "a", "1");
    expect(leader.isLeader()).toBe(true);
    end.resolve();
    await cluster.clock.advance(0);
    expect(built.values).toHaveLength(1);
    expect(leader.metrics().snapshotStalled).toBeNull();
    expect(told(cluster, "resumed")).toHaveLength(1);
  });

  test("a build that takes long and gets on does not hang", async () => {
    const cluster = new TestCluster(IDS, config);
    const leader = await cluster.found();
    await cluster.converge();
    const builder = cluster.storage(leader.id).stateMachine.snapshotBuilder();
    const build = builder.buildSnapshot.bind(builder);
    const { clock } = cluster;
    Object.assign(builder, {
      buildSnapshot: async (pause: () => Promise<void>) => {
        for (let i = 0; i < 10; i++) {
          await new Promise<void>((resolve) => ticks.push(resolve));
          await pause();
        }
        return build(pause);
      },
    });
    const ticks: (() => void)[] = [];
    Object.assign(cluster.storage(leader.id).stateMachine, { snapshotBuilder: () => builder });
    const built = outcomeOf(leader.triggerSnapshot());
    for (let i = 0; i < 10; i++) {
      await clock.advance(LIMIT_MS / 2);
      for (const tick of ticks.splice(0)) tick();
    }
    await clock.advance(0);
    expect(built.values).toHaveLength(1);
    expect(told(cluster, "stalled")).toEqual([]);
  });

  test.each([
    ["installSnapshot", "install snapshot"],
    ["receiveSnapshot", "receive snapshot"],
  ] as const)("%s, on a follower, while the others go on", async (method, verb) => {
    const cluster = new TestCluster(IDS, config);
    const leader = await cluster.found();
    await cluster.converge();
    const late = cluster.others(leader.id)[0] as NodeId;
    await cluster.stop(late);
    for (const key of ["a", "b", "c"]) await cluster.set(leader, key, "1");
    await cluster.run(leader.triggerSnapshot());
    const end = gate(cluster.storage(late).stateMachine, method);
    await cluster.start(late);
    const node = cluster.node(late);
    await cluster.clock.runUntil("the stall", () => node.metrics().snapshotStalled !== null, 2 * LIMIT_MS);
    expect(node.metrics().snapshotStalled).toBe(verb);
    expect(told(cluster, "stalled")).toEqual([expect.stringContaining(`"verb":"${verb}"`)]);
    expect(leader.isLeader()).toBe(true);
    await cluster.set(leader, "d", "1");
    end.resolve();
    await cluster.converge();
    expect(node.metrics().snapshotStalled).toBeNull();
    expect(cluster.get(late, "d")).toBe("1");
  });
});

describe("a shutdown while storage hangs", () => {
  test("settles who waits at once, and is over when the call has ended", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    await cluster.converge();
    const storage = cluster.storage(leader.id);
    storage.hanging.add("append");
    const write = outcomeOf(leader.propose(setCommand("a", "1")));
    await cluster.clock.advance(STALL_MS / 2);
    const stopped = outcomeOf(leader.shutdown());
    await cluster.clock.advance(60_000);
    expect(write.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(stopped.values).toHaveLength(0);
    expect(cluster.history.filter((line) => line.includes("raft.storage.stalled"))).toEqual([]);
    storage.resume();
    await cluster.clock.advance(0);
    expect(stopped.values).toHaveLength(1);
  });
});
