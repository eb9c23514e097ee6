import type { NodeId, Snapshot } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../src/testing.js";
import type { RaftNode } from "../src/raft-node.js";
import { addressed } from "./support/addressed.js";
import { outcomeOf } from "./support/promises.js";
import type { ScriptedStorage } from "./support/scripted-storage.js";
import type { SnapshotAnswer } from "./support/snapshot-traffic.js";
import { MANY_PARTS, SnapshotTraffic, withLaggingFollower, writeMany } from "./support/snapshot-traffic.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const IDS = [1, 2, 3] as const;

function setUp(): { cluster: TestCluster; traffic: SnapshotTraffic } {
  const cluster = new TestCluster(IDS, MANY_PARTS);
  return { cluster, traffic: new SnapshotTraffic(cluster) };
}

/** What a state machine holds, as its snapshots have it. */
function contents(storage: ScriptedStorage): Record<string, string | undefined> {
  const { kv } = storage;
  return Object.fromEntries(
    Array.from({ length: 80 }, (_, i) => {
      const value = kv.get(new TextEncoder().encode(`key ${i}`));
      return [`key ${i}`, value === null ? undefined : new TextDecoder().decode(value)];
    }),
  );
}

function checkEqual(cluster: TestCluster): void {
  const [first, ...rest] = IDS.map((id) => contents(cluster.storage(id)));
  for (const other of rest) expect(other).toEqual(first);
}

function installsOn(cluster: TestCluster, id: NodeId): number {
  return cluster.history.filter((line) => line.includes(`raft.snapshot.installed {"node":${id},`)).length;
}

/** Never answers. */
function lost(): Promise<SnapshotAnswer> {
  return new Promise(() => {});
}

describe("a follower behind a fully purged log", () => {
  test("converges: it gets the snapshot, in parts, and the entries after it", async () => {
    const { cluster, traffic } = setUp();
    const { leader, slow } = await withLaggingFollower(cluster);
    expect(leader.metrics().purged.index).toBeGreaterThan(cluster.node(slow).metrics().lastLogId.index);
    cluster.network.heal();
    await cluster.converge();
    checkEqual(cluster);
    expect(installsOn(cluster, slow)).toBe(1);
    const offsets = traffic.offsets();
    expect(offsets.length).toBeGreaterThan(5);
    expect(offsets).toEqual(offsets.map((_, i) => i * MANY_PARTS.snapshotChunkBytes));
    for (const { data } of traffic.parts)
      expect(data.length).toBeLessThanOrEqual(MANY_PARTS.snapshotChunkBytes);
    // Its log begins after the snapshot, and it goes on from there after a restart.
    expect(cluster.storage(slow).log.lastPurgedLogId.index).toBeGreaterThan(20);
    await cluster.stop(slow);
    await cluster.start(slow);
    await cluster.set(await cluster.waitForLeader(), "key 0", "later");
    await cluster.converge();
    checkEqual(cluster);
  });

  test("converges while entries are written and the log is purged behind its snapshot", async () => {
    const { cluster, traffic } = setUp();
    const { leader, slow } = await withLaggingFollower(cluster);
    const runtime = cluster.clock.runtime(new SeededRandom(5));
    traffic.handler = (_, send) =>
      new Promise<void>((resolve) => {
        runtime.setTimer(15, resolve);
      }).then(send);
    cluster.network.heal();
    const before = leader.metrics().purged.index;
    for (let round = 0; round < 12; round++) {
      await writeMany(cluster, leader, 10, `round ${round}`.padEnd(40, "."));
      await cluster.clock.advance(20);
    }
    expect(leader.metrics().purged.index).toBeGreaterThan(before + 60);
    await cluster.converge();
    checkEqual(cluster);
    expect(leader.isLeader()).toBe(true);
    expect(installsOn(cluster, slow)).toBeGreaterThanOrEqual(1);
    // The leader learns of it a message later.
    const progress = () => leader.metrics().replication?.get(slow);
    await cluster.clock.runUntil("the pipeline", () => progress()?.mode === "pipeline", 1000);
    expect(progress()).toMatchObject({ snapshot: null });
  });

  test("that hangs does not block the leader: writes commit, and the log does not grow for it", async () => {
    const { cluster, traffic } = setUp();
    const { leader } = await withLaggingFollower(cluster);
    traffic.handler = lost;
    cluster.network.heal();
    for (let round = 0; round < 20; round++) {
      await writeMany(cluster, leader, 10);
      await cluster.clock.advance(500);
    }
    expect(leader.isLeader()).toBe(true);
    expect(cluster.storage(leader.id).log.length).toBeLessThan(60);
    traffic.handler = (_, send) => send();
    await cluster.converge();
    checkEqual(cluster);
  });
});

describe("a snapshot whose chunks time out makes progress by resuming", () => {
  test("every second part is lost: each is sent again, and none of those that arrived", async () => {
    const { cluster, traffic } = setUp();
    const { slow } = await withLaggingFollower(cluster);
    let count = 0;
    const arrived: number[] = [];
    traffic.handler = (part, send) => {
      count += 1;
      if (count % 2 === 0) return lost();
      if (part.data.length > 0) arrived.push(part.offset);
      return send();
    };
    cluster.network.heal();
    await cluster.converge();
    checkEqual(cluster);
    expect(installsOn(cluster, slow)).toBe(1);
    expect(arrived).toEqual(arrived.map((_, i) => i * MANY_PARTS.snapshotChunkBytes));
  });

  test("every answer but the third of a part is lost, and parts come twice, late: it converges all the same", async () => {
    const { cluster, traffic } = setUp();
    const { slow } = await withLaggingFollower(cluster);
    const runtime = cluster.clock.runtime(new SeededRandom(5));
    let count = 0;
    traffic.handler = async (_, send) => {
      count += 1;
      const answers = count % 3 === 0;
      // The same part again, behind those that follow.
      runtime.setTimer(170, () => void outcomeOf(send()));
      const answer = await send();
      return answers ? answer : lost();
    };
    cluster.network.heal();
    await cluster.converge();
    checkEqual(cluster);
    expect(installsOn(cluster, slow)).toBe(1);
    await cluster.clock.advance(1000);
    expect(installsOn(cluster, slow)).toBe(1);
    expect(cluster.node(slow).metrics().stopCause).toBeNull();
  });

  test("a follower that restarts in the middle begins again, and gets there", async () => {
    const { cluster, traffic } = setUp();
    const { slow } = await withLaggingFollower(cluster);
    let stopped: Promise<void> | null = null;
    traffic.handler = (part, send) => {
      if (part.offset > 1000 && stopped === null) {
        stopped = cluster.node(slow).shutdown();
        return lost();
      }
      return send();
    };
    cluster.network.heal();
    await cluster.clock.runUntil("the middle", () => stopped !== null, 10_000);
    await cluster.stop(slow);
    await cluster.start(slow);
    await cluster.converge();
    checkEqual(cluster);
    expect(traffic.offsets().filter((offset) => offset === 0).length).toBeGreaterThanOrEqual(2);
  });

  test("a leader that is replaced in the middle: the next one brings its own, and the old one stops", async () => {
    const { cluster, traffic } = setUp();
    const { leader, slow, other } = await withLaggingFollower(cluster);
    let cut = false;
    traffic.handler = (part, send) => {
      if (part.leaderId === leader.id && part.offset > 1000) {
        cut = true;
        return lost();
      }
      return send();
    };
    cluster.network.heal();
    await cluster.clock.runUntil("the middle", () => cut, 10_000);
    cluster.network.partition([leader.id], [slow, other]);
    // Only who has the log can win.
    const next = await cluster.waitForLeader([other]);
    cluster.network.heal();
    await cluster.converge();
    expect(next.isLeader()).toBe(true);
    checkEqual(cluster);
    const sent = traffic.parts.filter((part) => part.leaderId === leader.id).length;
    await cluster.clock.advance(5000);
    expect(traffic.parts.filter((part) => part.leaderId === leader.id)).toHaveLength(sent);
    expect(leader.metrics().replication).toBeNull();
  });
});

/** Counts the timers that a node has set. */
function withTimers(cluster: TestCluster): { open: Set<object>; options: object } {
  const runtime = cluster.clock.runtime(new SeededRandom(9));
  const open = new Set<object>();
  const setTimer = (delayMs: number, callback: () => void): { cancel(): void } => {
    const timer = runtime.setTimer(delayMs, () => {
      open.delete(timer);
      callback();
    });
    open.add(timer);
    return {
      cancel: () => {
        open.delete(timer);
        timer.cancel();
      },
    };
  };
  return { open, options: { runtime: { ...runtime, setTimer } } };
}

describe("a shutdown in the middle of a transfer", () => {
  test.each(["while a part is on its way", "while it pauses after a lost part"])(
    "%s leaves no timer and no caller, on either side",
    async (phase) => {
      const { cluster, traffic } = setUp();
      const timers = IDS.map((id) => ({ id, ...withTimers(cluster) }));
      for (const { id, options } of timers) await cluster.start(id, options);
      const first = cluster.node(1);
      await cluster.run(first.initialize(IDS.map((id) => [id, { addr: `10.0.0.${id}:7000` }])));
      const leader = await cluster.waitForLeader();
      await cluster.converge();
      const [slow, other] = cluster.others(leader.id) as [NodeId, NodeId];
      cluster.network.partition([slow], [leader.id, other]);
      await writeMany(cluster, leader, 60);
      let middle = false;
      traffic.handler = (part, send) => {
        if (part.offset < 600) return send();
        middle = true;
        return phase.includes("pauses") ? Promise.reject(new Error("lost")) : lost();
      };
      cluster.network.heal();
      await cluster.clock.runUntil("the middle", () => middle, 10_000);
      await cluster.clock.advance(0);
      for (const id of IDS) await cluster.stop(id);
      for (const { open } of timers) expect(open.size).toBe(0);
      const sent = traffic.parts.length;
      await cluster.clock.advance(60_000);
      expect(traffic.parts).toHaveLength(sent);
    },
  );
});

describe("a snapshot by hand that races with a transfer", () => {
  test.each([0, 200, 1000, 2000])(
    "at byte %i: one of the two is installed, and the node goes on",
    async (at) => {
      const { cluster, traffic } = setUp();
      const { leader, slow } = await withLaggingFollower(cluster);
      const snapshot = cluster.storage(leader.id).snapshot as Snapshot;
      const byHand: ReturnType<typeof outcomeOf<void>>[] = [];
      traffic.handler = (part, send) => {
        const answer = send();
        if (part.offset >= at && byHand.length === 0) {
          byHand.push(outcomeOf(cluster.node(slow).raft.installFullSnapshot(snapshot)));
        }
        return answer;
      };
      cluster.network.heal();
      await cluster.converge();
      checkEqual(cluster);
      const [outcome] = byHand;
      expect((outcome?.values.length ?? 0) + (outcome?.errors.length ?? 0)).toBe(1);
      for (const error of outcome?.errors ?? []) {
        expect(["overloaded", "snapshotOutdated"]).toContain((error as Error & { code: string }).code);
      }
      expect(cluster.node(slow).metrics().stopCause).toBeNull();
    },
  );
});

/** Counts the calls of a store that change something, and fails from one of them on, as a power cut does. */
class PowerCut {
  calls = 0;
  /** The call that is not carried out any more. */
  at = Number.POSITIVE_INFINITY;

  wrap(storage: ScriptedStorage): ScriptedStorage {
    const writes = new Set(["saveVote", "append", "truncate", "purge", "saveCommitted"]);
    const machineWrites = new Set(["apply", "receiveSnapshot", "installSnapshot"]);
    const machine = this.#proxy(storage.stateMachine, machineWrites);
    return this.#proxy(storage, writes, { stateMachine: machine });
  }

  #proxy<T extends object>(target: T, writes: ReadonlySet<string>, replaced: Partial<T> = {}): T {
    return new Proxy(target, {
      get: (_, name) => {
        if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown;
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]): unknown => {
          if (writes.has(String(name))) this.#count();
          const result: unknown = Reflect.apply(value, target, given);
          const isSink = name === "receiveSnapshot";
          return isSink ? this.#proxy(result as object, new Set(["write", "finish"])) : result;
        };
      },
    });
  }

  #count(): void {
    this.calls += 1;
    if (this.calls >= this.at) throw new Error("power cut");
  }
}

describe("a crash at every step of a snapshot install", () => {
  /** A former leader with entries of its own gets a snapshot over them, on a store that fails at call `at`. */
  async function run(at: number): Promise<number> {
    const { cluster } = setUp();
    const old = await cluster.found();
    await cluster.converge();
    const others = cluster.others(old.id);
    cluster.network.partition([old.id], others);
    for (let i = 0; i < 100; i++) void outcomeOf(old.propose(setCommand(`key ${i % 80}`, "never committed")));
    const next = await cluster.waitForLeader(others);
    await writeMany(cluster, next, 60);
    await cluster.stop(old.id);
    const power = new PowerCut();
    const storage = cluster.storage(old.id);
    let node: RaftNode = await cluster.start(old.id, { storage: power.wrap(storage) });
    power.at = power.calls + at;
    cluster.network.heal();
    const before = power.calls;
    await cluster.clock.runUntil(
      "a crash or an end",
      () =>
        node.metrics().state === "stopped" ||
        node.metrics().lastApplied.index >= next.metrics().committed.index,
      20_000,
    );
    const steps = power.calls - before;
    const crashed = node.metrics().state === "stopped";
    power.at = Number.POSITIVE_INFINITY;
    if (crashed) {
      expect(node.metrics().stopCause?.message).toContain("power cut");
      await cluster.stop(old.id);
      // It starts from whatever was left, and from nothing that contradicts itself.
      node = await cluster.start(old.id);
    }
    await cluster.set(await cluster.waitForLeader(), "key 79", `after ${at}`);
    await cluster.converge();
    checkEqual(cluster);
    expect(cluster.get(old.id, "key 5")).toBe("v".repeat(40));
    return crashed ? Number.POSITIVE_INFINITY : steps;
  }

  test("leaves a node that starts again, and converges", async () => {
    let at = 1;
    while ((await run(at)) === Number.POSITIVE_INFINITY) at += 1;
    // The vote, the parts, the end of the content, the installation, truncation and purge at the least.
    expect(at).toBeGreaterThan(10);
  });

  test("tries the truncation and the purge too", async () => {
    const { cluster } = setUp();
    const old = await cluster.found();
    await cluster.converge();
    const others = cluster.others(old.id);
    cluster.network.partition([old.id], others);
    for (let i = 0; i < 100; i++) void outcomeOf(old.propose(setCommand(`key ${i % 80}`, "never committed")));
    const next = await cluster.waitForLeader(others);
    await writeMany(cluster, next, 60);
    const storage = cluster.storage(old.id);
    storage.calls.length = 0;
    cluster.network.heal();
    await cluster.converge();
    const upto = formatLogId(storage.log.lastPurgedLogId);
    expect(storage.calls.some((call) => call.startsWith("truncate"))).toBe(true);
    expect(storage.calls).toContain(`purge ${upto}`);
  });
});

describe("a snapshot whose content was damaged on its way", () => {
  test("changes nothing, and is sent again after a pause, until it arrives as it was", async () => {
    const { cluster, traffic } = setUp();
    const { slow } = await withLaggingFollower(cluster);
    const before = cluster.node(slow).metrics().lastLogId;
    let damaged = 0;
    traffic.handler = (part, send) => {
      if (part.data.length > 0 && part.offset === 0 && damaged < 3) {
        damaged += 1;
        part.data.fill(255, 0, 8);
      }
      return send();
    };
    cluster.network.heal();
    await cluster.clock.runUntil("the damage to be seen", () => installsOn(cluster, slow) === 1, 10_000);
    expect(cluster.node(slow).metrics()).toMatchObject({ lastLogId: before, stopCause: null });
    await cluster.converge();
    checkEqual(cluster);
    expect(damaged).toBe(3);
    expect(installsOn(cluster, slow)).toBe(4);
  });
});

describe("an install", () => {
  test("begins only once the vote of its term is durable: no restart finds a log of a later term than its vote", async () => {
    const source = new TestCluster([2], { snapshotPolicy: { type: "never" } });
    const leader = await source.found();
    await writeMany(source, leader, 3);
    await source.run(leader.triggerSnapshot());
    const { meta, data: content } = source.storage(2).snapshot as Snapshot;
    const data = new Uint8Array(content.size);
    let length = 0;
    for await (const chunk of content.read(0)) {
      data.set(chunk, length);
      length += chunk.length;
    }
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const storage = cluster.storage(1);
    storage.hanging.add("saveVote");
    const request = { term: 1, leaderId: 2, meta, size: length, offset: 0, data };
    const answer = outcomeOf(node.raft.installSnapshot(addressed(2, 1, request)));
    await cluster.clock.advance(100);
    expect(storage.snapshot).toBeNull();
    expect(answer.values).toEqual([]);
    storage.resume();
    await cluster.clock.advance(0);
    expect(storage.snapshot?.meta.lastLogId).toEqual(meta.lastLogId);
    expect(answer.values).toMatchObject([{ type: "progress", nextOffset: length }]);
    expect(storage.calls[0]).toMatch(/^saveVote/);
    expect(node.metrics().lastApplied).toEqual(meta.lastLogId);
  });
});

describe("a golden trace", () => {
  test("a snapshot to a lagging follower with a lost chunk (`npx vitest run packages/raft/test/snapshot-transfer.test.ts -u` writes it anew)", async () => {
    const cluster = new TestCluster(IDS, { ...MANY_PARTS, snapshotChunkBytes: 1500 }, 7);
    const lines: string[] = [];
    const say = (line: string): void =>
      void lines.push(`${cluster.clock.now.toFixed(1).padStart(7)} ms  ${line}`);
    const traffic = new SnapshotTraffic(cluster);
    cluster.network.setFaults({ minLatencyMs: 4, maxLatencyMs: 6 });
    const { leader, slow } = await withLaggingFollower(cluster);
    const known = (id: NodeId): string => {
      const { snapshot, purged, lastLogId } = cluster.node(id).metrics();
      return `snapshot ${formatLogId(snapshot)}, purged ${formatLogId(purged)}, log ends at ${formatLogId(lastLogId)}`;
    };
    let parts = 0;
    traffic.handler = async (part, send) => {
      parts += 1;
      const bytes =
        part.data.length === 0 ? "no bytes" : `bytes ${part.offset} to ${part.offset + part.data.length}`;
      const name = `${part.leaderId} -> ${slow} installSnapshot ${part.meta.snapshotId}, ${bytes} of ${part.size}`;
      if (parts === 3) {
        say(`${name}: lost`);
        return lost();
      }
      say(name);
      const answer = await send();
      const next = answer.type === "progress" ? `, wants byte ${answer.nextOffset}` : "";
      say(`${part.leaderId} <- ${slow} ${answer.type}${next}`);
      return answer;
    };
    cluster.intercept = async (call, send) => {
      if (call.rpc !== "appendEntries" || call.entries.length === 0 || call.to !== slow) return send();
      const [first, last] = [call.entries[0], call.entries.at(-1)].map((entry) => entry?.logId.index);
      say(`${call.from} -> ${slow} appendEntries ${first} to ${last}`);
      const answer = await send();
      say(`${call.from} <- ${slow} ${(answer as { type: string }).type}`);
      return answer;
    };
    say(`leader ${leader.id}: ${known(leader.id)}`);
    say(`follower ${slow}: ${known(slow)}`);
    cluster.network.heal();
    say("the network is healed");
    await cluster.converge();
    say(`follower ${slow}: ${known(slow)}`);
    checkEqual(cluster);
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("traces/snapshot-with-a-lost-chunk.txt");
  });
});
