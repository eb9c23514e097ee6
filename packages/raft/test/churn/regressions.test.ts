import type { AsyncRuntime, BasicNode, NodeId } from "@seshat/common";
import { NotLeaderError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../src/testing.js";
import { ScriptedStorage } from "../support/scripted-storage.js";
import { TestCluster } from "../support/test-cluster.js";
import { nodesFor } from "../support/values.js";

/** What went wrong in a run of churn once, each alone. */
describe("defects that churn has found", () => {
  test("a node that shuts down between two parts of a snapshot leaves no timer behind", async () => {
    const cluster = new TestCluster([1, 2, 3], {
      snapshotPolicy: { type: "logsSinceLast", entries: 10 },
      maxInSnapshotLogToKeep: 0,
      maxLogToKeepForFollowers: 0,
    });
    const { runtime, timers } = countTimers(cluster.clock.runtime(new SeededRandom(1)));
    for (const id of [2, 3]) await cluster.start(id);
    await cluster.start(1, { runtime });
    cluster.intercept = (call, send) => (call.from === 1 ? send() : new Promise(() => {}));
    await cluster.run(cluster.node(1).initialize(nodesFor(1, 2, 3)));
    const leader = await cluster.waitForLeader([1]);
    cluster.network.partition([3], [1, 2]);
    for (let i = 0; i < 30; i++) await cluster.set(leader, `key ${i}`, "value");
    await cluster.clock.advance(1000);
    for (let i = 0; i < 30; i++) await cluster.set(leader, `key ${i}`, "value");

    let parts = 0;
    cluster.network.heal();
    cluster.intercept = (call, send) => {
      if (call.rpc !== "installSnapshot") return call.from === 1 ? send() : new Promise(() => {});
      parts += 1;
      return Promise.reject(new Error("the part is lost"));
    };
    await cluster.clock.runUntil("a part to be lost", () => parts > 0, 5000);
    await cluster.stop(1);
    expect(timers()).toBe(0);
  });

  test("a learner that was removed and was not told of it is refused a read, and does not wait for ever", async () => {
    const cluster = new TestCluster([1, 2, 3]);
    const leader = await cluster.found();
    await cluster.start(4);
    await cluster.run(leader.addLearner(4, placeOf(4), { blocking: true }));
    await cluster.clock.advance(200);
    for (const id of [1, 2, 3]) cluster.network.cut(id, 4);
    await cluster.run(leader.changeMembership({ type: "removeNodes", ids: [4] }));
    cluster.network.heal();
    await cluster.set(leader, "key", "value");

    const removed = cluster.node(4);
    expect(removed.leaderId()).toBe(leader.id);
    await expect(cluster.run(removed.ensureLinearizable())).rejects.toThrow(NotLeaderError);
  });

  test("a member that slept while a voter lost its disk and was added again follows that voter when it leads", async () => {
    const cluster = new TestCluster([1, 2, 3]);
    const leader = await cluster.found();
    await cluster.start(4);
    await cluster.run(leader.addLearner(4, placeOf(4), { blocking: true }));
    await cluster.set(leader, "key", "old");
    await cluster.clock.advance(500);
    cluster.network.partition([4], [1, 2, 3]);

    const [reborn] = cluster.others(leader.id) as [NodeId];
    await cluster.run(leader.changeMembership({ type: "removeVoters", ids: [reborn] }));
    await cluster.stop(reborn);
    await cluster.start(reborn, { storage: new ScriptedStorage() });
    await cluster.run(leader.addLearner(reborn, placeOf(reborn), { blocking: true }));
    await cluster.run(leader.changeMembership({ type: "addVoters", ids: [reborn] }));
    await cluster.run(leader.transferLeader({ to: reborn }));
    await cluster.set(cluster.node(reborn), "key", "new");

    cluster.network.heal();
    await cluster.converge();
    expect(cluster.node(4).leaderId()).toBe(reborn);
    expect(cluster.get(4, "key")).toBe("new");
  });
});

function placeOf(id: NodeId): BasicNode {
  return (nodesFor(id)[0] as [NodeId, BasicNode])[1];
}

/** A runtime that knows how many of its timers are set. */
function countTimers(inner: AsyncRuntime): { readonly runtime: AsyncRuntime; readonly timers: () => number } {
  const pending = new Set<object>();
  const runtime: AsyncRuntime = {
    ...inner,
    setTimer: (delayMs, callback) => {
      const key = {};
      pending.add(key);
      const timer = inner.setTimer(delayMs, () => {
        pending.delete(key);
        callback();
      });
      return {
        cancel: () => {
          pending.delete(key);
          timer.cancel();
        },
      };
    },
  };
  return { runtime, timers: () => pending.size };
}
