import { AlreadyInitializedError, InvalidValueError, ShutdownError, TimeoutError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor } from "./support/values.js";

const IDS = [1, 2, 3];

async function started(...ids: readonly number[]): Promise<TestCluster> {
  const cluster = new TestCluster(IDS);
  for (const id of ids) await cluster.start(id);
  return cluster;
}

describe("founding a cluster of several nodes", () => {
  test("writes down the stores of all of them, so that no erased disk is ever taken for a founder", async () => {
    const cluster = await started(1, 2, 3);
    await cluster.run(cluster.node(1).initialize(nodesFor(...IDS)));
    const stores = new Map(IDS.map((id) => [id, cluster.storage(id).readIdentity()?.incarnation]));
    expect(cluster.storage(1).log.get(1)).toMatchObject({
      logId: { term: 0, index: 1 },
      payload: { membership: { configs: [IDS], incarnations: stores } },
    });
  });

  test("waits for founders that come later", async () => {
    const cluster = await started(1, 2);
    const founded = outcomeOf(cluster.node(1).initialize(nodesFor(...IDS)));
    await cluster.clock.advance(5_000);
    expect(founded).toEqual({ values: [], errors: [] });
    await cluster.start(3);
    await cluster.clock.advance(1_000);
    expect(founded.values).toHaveLength(1);
  });

  test("does nothing when one of them does not come in time", async () => {
    const cluster = await started(1, 2);
    const error = await rejection(
      cluster.run(cluster.node(1).initialize(nodesFor(...IDS), { timeoutMs: 700 })),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain("founder 3");
    expect(cluster.clock.now).toBeLessThan(1_500);
    expect(cluster.node(1).metrics()).toMatchObject({ term: 0, lastLogId: { index: 0 } });
    await cluster.start(3);
    await cluster.run(cluster.node(1).initialize(nodesFor(...IDS)));
    await cluster.waitForLeader();
  });

  test("makes no second cluster out of nodes that belong to one, however little this node knows of it", async () => {
    const cluster = await started(1, 2);
    await cluster.run(cluster.node(1).initialize(nodesFor(1, 2)));
    await cluster.waitForLeader([1, 2]);
    const late = await cluster.start(3);
    const error = await rejection(cluster.run(late.initialize(nodesFor(...IDS))));
    expect(error).toBeInstanceOf(AlreadyInitializedError);
    expect(late.metrics()).toMatchObject({ term: 0, lastLogId: { index: 0 } });
  });

  test("a node of another cluster is no founder, and the error says that it is one", async () => {
    const cluster = await started(1, 2);
    await cluster.start(3, { config: { clusterId: "another" } });
    const error = await rejection(cluster.run(cluster.node(1).initialize(nodesFor(...IDS))));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain('this is "another"');
  });

  test("asks nobody any more once one of them has refused", async () => {
    const cluster = await started(1, 2);
    await cluster.run(cluster.node(2).initialize(nodesFor(2)));
    await cluster.waitForLeader([2]);
    const asked: number[] = [];
    cluster.intercept = (call, send) => {
      if (call.from === 1) asked.push(call.to);
      return send();
    };
    const error = await rejection(cluster.run(cluster.node(1).initialize(nodesFor(...IDS))));
    expect(error).toBeInstanceOf(AlreadyInitializedError);
    const before = asked.length;
    await cluster.clock.advance(5_000);
    expect(asked).toHaveLength(before);
  });

  test("ends when the node is shut down meanwhile, and leaves nothing behind", async () => {
    const cluster = await started(1, 2);
    const founded = outcomeOf(cluster.node(1).initialize(nodesFor(...IDS)));
    await cluster.clock.advance(300);
    await cluster.stop(1);
    expect(founded.errors[0]).toBeInstanceOf(ShutdownError);
    await cluster.clock.advance(20_000);
    expect(cluster.storage(1).log.lastLogId.index).toBe(0);
  });

  test.each([
    [{ timeoutMs: 0 }, "options.timeoutMs"],
    [{ timeout: 5 } as never, "options.timeout"],
    [null as never, "options"],
  ])("refuses %j by name", async (options, field) => {
    const cluster = await started(1);
    const error = await rejection(cluster.node(1).initialize(nodesFor(1), options));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect((error as InvalidValueError).field).toBe(field);
  });
});
