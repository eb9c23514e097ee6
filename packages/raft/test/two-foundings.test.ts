import type { NodeId } from "@seshat/common";
import { AlreadyInitializedError, TimeoutError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../src/testing.js";
import { outcomeOf, rejection } from "./support/promises.js";
import type { PeerCall } from "./support/test-cluster.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor } from "./support/values.js";

const FIVE = [1, 2, 3, 4, 5] as const;

async function started(ids: readonly NodeId[], seed = 1): Promise<TestCluster> {
  const cluster = new TestCluster(ids, {}, seed);
  for (const id of ids) await cluster.start(id);
  return cluster;
}

function leaders(cluster: TestCluster): NodeId[] {
  return cluster.ids.filter((id) => cluster.node(id).isLeader());
}

/** Founding as far as the votes of term 0, which get lost on their way to `lost`. */
function loseVotes(lost: NodeId): (call: PeerCall, send: () => Promise<unknown>) => Promise<unknown> {
  return ({ to, rpc }, send) => (rpc === "vote" && to === lost ? Promise.reject(new Error("lost")) : send());
}

describe("two nodes that found a cluster at once", () => {
  test.each([1, 2, 3, 4, 5])(
    "with sets that overlap make one cluster, and not two: seed %i",
    async (seed) => {
      const cluster = await started(FIVE, seed);
      const one = outcomeOf(cluster.node(1).initialize(nodesFor(1, 2, 3), { timeoutMs: 2000 }));
      const other = outcomeOf(cluster.node(4).initialize(nodesFor(3, 4, 5), { timeoutMs: 2000 }));
      await cluster.clock.advance(5_000);
      expect(leaders(cluster)).toHaveLength(1);
      expect(one.values.length + other.values.length).toBe(1);
      expect([...one.errors, ...other.errors]).toEqual([expect.any(AlreadyInitializedError)]);
      // No entry of term 0 has two contents.
      const first = FIVE.map((id) => cluster.storage(id).log.get(1)).filter((entry) => entry !== undefined);
      expect(first).toHaveLength(3);
      for (const entry of first) expect(entry).toEqual(first[0]);
    },
  );

  test.each([1, 2, 3])("with the same set do not get into each other's way: seed %i", async (seed) => {
    const ids = [1, 2, 3];
    const cluster = await started(ids, seed);
    const foundings = ids.map((id) => outcomeOf(cluster.node(id).initialize(nodesFor(...ids))));
    await cluster.waitForLeader();
    await cluster.clock.advance(1_000);
    expect(foundings).toEqual(ids.map(() => ({ values: [undefined], errors: [] })));
    // One of them alone wrote the entry, as the one whom all had voted for.
    const written = ids.map((id) =>
      cluster.storage(id).calls.filter((call) => call.startsWith("saveVote T0:")),
    );
    expect(new Set(written.flat()).size).toBe(1);
  });
});

describe("a founding that was not finished", () => {
  test("is finished by the node that began it, after a restart of everybody, and with other nodes if it likes", async () => {
    const cluster = await started(FIVE);
    cluster.intercept = loseVotes(3) as never;
    const error = await rejection(
      cluster.run(cluster.node(1).initialize(nodesFor(1, 2, 3), { timeoutMs: 500 })),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    for (const id of FIVE) {
      await cluster.stop(id);
      await cluster.start(id);
    }
    await cluster.run(cluster.node(1).initialize(nodesFor(1, 2, 4)));
    await cluster.waitForLeader([1, 2, 4]);
  });

  test("keeps others from founding with those that had agreed, also after their restart, and the error says so", async () => {
    const cluster = await started(FIVE);
    cluster.intercept = loseVotes(3) as never;
    await rejection(cluster.run(cluster.node(1).initialize(nodesFor(1, 2, 3), { timeoutMs: 500 })));
    cluster.intercept = (_, send) => send();
    await cluster.stop(2);
    await cluster.start(2);
    const error = await rejection(
      cluster.run(cluster.node(4).initialize(nodesFor(2, 4, 5), { timeoutMs: 500 })),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain("founder 2: it has a log, or founds with another node");
    expect(cluster.node(4).metrics()).toMatchObject({ term: 0, lastLogId: { index: 0 } });
    // Nobody had asked it for its vote.
    await cluster.run(cluster.node(4).initialize(nodesFor(3, 4, 5)));
    await cluster.waitForLeader([3, 4, 5]);
  });
});

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "whatever is lost and whoever crashes, nodes in common make one cluster: seed %i",
  async (seed) => {
    const cluster = await started(FIVE, seed);
    const random = new SeededRandom(seed);
    cluster.network.setFaults({ minLatencyMs: 0, maxLatencyMs: 40, lossRate: 0.1 + 0.2 * random.next() });
    const sets: readonly (readonly [NodeId, readonly NodeId[]])[] = [
      [1, [1, 2, 3]],
      [4, [3, 4, 5]],
      [5, [1, 5, 3]],
      [2, [1, 2, 3]],
    ];
    const foundings = [];
    for (const [founder, ids] of sets) {
      foundings.push(outcomeOf(cluster.node(founder).initialize(nodesFor(...ids), { timeoutMs: 3000 })));
      await cluster.clock.advance(Math.floor(random.next() * 80));
    }
    for (let crash = 0; crash < 4; crash++) {
      await cluster.clock.advance(Math.floor(random.next() * 300));
      const id = FIVE[Math.floor(random.next() * FIVE.length)] as NodeId;
      await cluster.stop(id);
      await cluster.clock.advance(Math.floor(random.next() * 100));
      await cluster.start(id);
    }
    await cluster.clock.advance(4_000);
    cluster.network.setFaults({ lossRate: 0, maxLatencyMs: 0 });
    await cluster.clock.advance(3_000);
    // Whoever has a log has the same first entry, and those that it names as voters follow one leader.
    const first = FIVE.map((id) => cluster.storage(id).log.get(1)).filter((entry) => entry !== undefined);
    for (const entry of first) expect(entry).toEqual(first[0]);
    expect(leaders(cluster).length).toBe(first.length > 0 ? 1 : 0);
  },
);
