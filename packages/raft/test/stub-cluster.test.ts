import { NotLeaderError, TimeoutError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { StubNetwork } from "../src/network/stub-network.js";
import { foundInStorage } from "./support/founding.js";
import { RecordingLogger } from "./support/instruments.js";
import { rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor, setCommand } from "./support/values.js";

describe("three voters over the stub network", () => {
  test.each([true, false])(
    "elect nobody and commit nothing over 60 seconds (pre-vote: %s)",
    async (preVote) => {
      const logger = new RecordingLogger();
      const cluster = new TestCluster([1, 2, 3], { preVote });
      for (const id of cluster.ids) {
        await foundInStorage(cluster.storage(id), 1, 2, 3);
        await cluster.start(id, { network: new StubNetwork(logger), logger });
      }
      for (let second = 0; second < 60; second++) {
        await cluster.clock.advance(1000);
        for (const id of cluster.ids) {
          expect(cluster.node(id).metrics()).toMatchObject({
            committed: { index: 0 },
            lastApplied: { index: 0 },
            currentLeader: null,
          });
          expect(cluster.node(id).isLeader()).toBe(false);
        }
      }
      const node = cluster.node(1);
      expect(await rejection(cluster.run(node.propose(setCommand("a", "1"))))).toBeInstanceOf(NotLeaderError);
      expect(cluster.get(1, "a")).toBeNull();
      // They did try, and each attempt was logged. A pre-vote that fails leaves the term alone.
      expect(logger.of("raft.network.stub").length).toBeGreaterThan(500);
      expect(node.metrics().term > 0).toBe(!preVote);
    },
  );

  test("cannot even found a cluster: nobody answers", async () => {
    const cluster = new TestCluster([1, 2, 3]);
    const node = await cluster.start(1, { network: new StubNetwork() });
    const error = await rejection(cluster.run(node.initialize(nodesFor(1, 2, 3))));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(node.metrics()).toMatchObject({ term: 0, lastLogId: { index: 0 } });
  });

  test("a cluster of one never uses it", async () => {
    const logger = new RecordingLogger();
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1, { network: new StubNetwork(logger) });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    await cluster.set(node, "a", "1");
    await cluster.clock.advance(60_000);
    expect(logger.records).toEqual([]);
  });
});
