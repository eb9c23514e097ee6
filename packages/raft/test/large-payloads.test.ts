import type { LogEntry, NodeId, Request } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const IDS = [1, 2, 3] as const;

function bytesOf(entries: readonly LogEntry<Request>[]): number {
  return entries.reduce(
    (sum, { payload }) => sum + 32 + (payload.type === "normal" ? payload.data.data.length : 0),
    0,
  );
}

/** How often anybody stood, or asked whether to. */
function candidacies(cluster: TestCluster): number {
  return cluster.history.filter((line) => /"to":"(preCandidate|candidate)"/.test(line)).length;
}

/** Makes the way to `slow` carry `bytesPerMs` bytes of entries a millisecond, one message after another; heartbeats pass beside. */
function slowLink(
  cluster: TestCluster,
  slow: NodeId,
  bytesPerMs: number,
): { maxInFlight: number; carried: number } {
  const runtime = cluster.clock.runtime({ next: () => 0.5 } as never);
  const seen = { maxInFlight: 0, carried: 0 };
  let inFlight = 0;
  let freeAt = 0;
  cluster.intercept = (call, send) => {
    const bytes = bytesOf(call.entries);
    if (call.to !== slow || bytes === 0) return send();
    inFlight += bytes;
    seen.carried += bytes;
    seen.maxInFlight = Math.max(seen.maxInFlight, inFlight);
    freeAt = Math.max(freeAt, cluster.clock.now) + bytes / bytesPerMs;
    return new Promise<void>((resolve) => {
      runtime.setTimer(freeAt - cluster.clock.now, resolve);
    })
      .then(send)
      .finally(() => {
        inFlight -= bytes;
      });
  };
  return seen;
}

describe("large payloads", () => {
  test("are split by bytes: no message is larger than maxPayloadBytes but one that carries a single entry", async () => {
    const cluster = new TestCluster(IDS, { maxPayloadBytes: 1000, maxInFlightBytes: 3000 });
    const leader = await cluster.found();
    const messages: { bytes: number; entries: number }[] = [];
    cluster.intercept = ({ entries }, send) => {
      if (entries.length > 0) messages.push({ bytes: bytesOf(entries), entries: entries.length });
      return send();
    };
    const sizes = [10, 400, 400, 400, 5000, 20, 20, 900, 900, 10];
    await cluster.run(
      leader.clientWriteMany(sizes.map((size, i) => ({ data: setCommand(`key ${i}`, "x".repeat(size)) }))),
    );
    await cluster.converge();
    expect(messages.length).toBeGreaterThan(8);
    for (const { bytes, entries } of messages) expect(bytes <= 1000 || entries === 1).toBe(true);
    for (const id of IDS) expect(sizes.map((_, i) => cluster.get(id, `key ${i}`)?.length)).toEqual(sizes);
    // Each entry went once to each follower: portions that overtake each other would be sent again.
    expect(messages.reduce((sum, { entries }) => sum + entries, 0)).toBe(2 * sizes.length);
  });

  test.each([
    ["of two megabytes a second, with the default bounds", 2048, {}, 65_000, 160],
    [
      "of twenty kilobytes a second, with small ones",
      20,
      { maxPayloadBytes: 1000, maxInFlightBytes: 2000 },
      400,
      100,
    ],
  ])(
    "a follower behind a link %s catches up and never starts an election",
    async (_, bytesPerMs, config, size, count) => {
      const cluster = new TestCluster(IDS, {
        ...config,
        // Otherwise the leader has to find out first who is slow, which takes it a delay or two.
        thriftyDelayMs: 0,
        logCacheEntries: 10_000,
        snapshotPolicy: { type: "never" },
      });
      const leader = await cluster.found();
      await cluster.converge();
      const { term } = leader.metrics();
      const slow = cluster.others(leader.id)[0] as number;
      const seen = slowLink(cluster, slow, bytesPerMs);
      const value = "x".repeat(size);
      let total = 0;
      const started = cluster.clock.now;
      const elections = candidacies(cluster);
      for (let i = 0; i < count; i++) {
        const data = setCommand(`key ${i}`, value);
        total += data.length + 32;
        // The fast follower is enough: nobody waits for the slow one.
        const write = outcomeOf(leader.propose(data));
        await cluster.clock.advance(0);
        expect(write.values).toHaveLength(1);
        expect(write.errors).toEqual([]);
      }
      await cluster.converge();
      expect(cluster.clock.now - started).toBeGreaterThan(1000);
      expect(cluster.get(slow, `key ${count - 1}`)).toBe(value);
      expect(candidacies(cluster)).toBe(elections);
      expect(leader.metrics()).toMatchObject({ state: "leader", term });
      expect(seen.maxInFlight).toBeLessThanOrEqual(leader.raft.config.maxInFlightBytes);
      // Nothing was taken for lost and sent again.
      expect(seen.carried).toBe(total);
    },
  );
});

describe("a hung follower does not block the leader", () => {
  test.each([
    ["that answers nothing at all", (): boolean => true],
    ["that answers heartbeats and never data", (entries: readonly unknown[]): boolean => entries.length > 0],
  ])("%s: writes commit at once, and what is on its way to it stays bounded", async (_, hangs) => {
    const config = { maxPayloadBytes: 4000, maxInFlightBytes: 8000 };
    const cluster = new TestCluster(IDS, config);
    const leader = await cluster.found();
    await cluster.converge();
    const hung = cluster.others(leader.id)[0] as number;
    let swallowed = 0;
    cluster.intercept = ({ to, entries }, send) => {
      if (to !== hung || !hangs(entries)) return send();
      swallowed += bytesOf(entries);
      return new Promise(() => {});
    };
    let written = 0;
    for (let i = 0; i < 200; i++) {
      const data = setCommand(`key ${i}`, "x".repeat(1000));
      written += data.length;
      const write = outcomeOf(leader.propose(data));
      await cluster.clock.advance(10);
      expect(write.values).toHaveLength(1);
    }
    expect(leader.isLeader()).toBe(true);
    // It gets what fits, again each time that is given up for lost, and never all that is written.
    expect(swallowed).toBeGreaterThan(0);
    expect(swallowed).toBeLessThan(written / 2);
    cluster.intercept = (_call, send) => send();
    await cluster.converge();
    expect(cluster.get(hung, "key 199")).toBe("x".repeat(1000));
    expect(leader.isLeader()).toBe(true);
  });
});
