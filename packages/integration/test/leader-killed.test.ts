import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { expect, test } from "vitest";
import { startCluster } from "../src/index.js";
import { Ledger, startLoad } from "./support/ledger.js";

test("a leader killed under load, 100 times over: nothing acknowledged is lost, nothing is applied twice, and each time there is a new leader within twice the maximum election timeout", async () => {
  const clock = new VirtualClock();
  const random = new SeededRandom(2026);
  const maxElectionMs = 300;
  const starting = startCluster({
    nodes: 3,
    stateMachine: () => new Ledger(),
    config: {
      electionTimeoutMaxMs: maxElectionMs,
      snapshotPolicy: { type: "logsSinceLast", entries: 100 },
      maxInSnapshotLogToKeep: 0,
    },
    timeoutMs: 60_000,
    runtime: () => clock.runtime(random.fork()),
    checkInvariants: true,
  });
  const cluster = await clock.runUntilSettled(starting, 10_000);
  cluster.network.setFaults({ minLatencyMs: 0.5, maxLatencyMs: 3 });

  const load = startLoad(8, (command) => cluster.write(command));
  const { acknowledged } = load;

  const leader = (): number | undefined => cluster.running().find((node) => node.isLeader())?.id;
  await clock.runUntil("the first leader", () => leader() !== undefined, 2000);
  for (let kill = 0; kill < 100; kill++) {
    await clock.advance(random.integer(1, 80));
    await clock.runUntil("a leader to kill", () => leader() !== undefined, 2000);
    const killed = leader() as number;
    const before = acknowledged.length;
    await clock.runUntilSettled(cluster.kill(killed), 1000);
    const died = clock.now;
    await clock.runUntil("a new leader", () => leader() !== undefined, 2 * maxElectionMs);
    expect(clock.now - died).toBeLessThanOrEqual(2 * maxElectionMs);
    await clock.runUntil("writes that go on", () => acknowledged.length > before, 2000);
    await clock.runUntilSettled(cluster.restart(killed), 1000);
  }
  await clock.runUntilSettled(load.stop(), 60_000);

  const read = cluster.read((ledger) => [...ledger.applied]);
  const applied = await clock.runUntilSettled(read, 10_000);
  expect(acknowledged.length).toBeGreaterThan(1000);
  expect(new Set(applied).size).toBe(applied.length);
  const present = new Set(applied);
  expect(acknowledged.filter((command) => !present.has(command))).toEqual([]);
  await clock.runUntil(
    "all nodes to be equal",
    () => cluster.ids.every((id) => cluster.stateMachine(id).applied.length === applied.length),
    5000,
  );
  for (const id of cluster.ids) expect(cluster.stateMachine(id).applied).toEqual(applied);
  await clock.runUntilSettled(cluster.shutdown(), 1000);
});
