import { UnknownOutcomeError } from "@seshat/common";
import { expect, test } from "vitest";
import { outcomeOf, settled } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

test("a write that was committed, and never applied here because a snapshot came by hand, is settled: nobody can tell its answer", async () => {
  const cluster = new TestCluster([1, 2, 3], { storageStallMs: 120_000 });
  const old = await cluster.found();
  await cluster.converge();
  const others = cluster.others(old.id);
  // Its own disk does not sync; the others commit the write, so that it is not applied here.
  cluster.storage(old.id).holdsCompletions = true;
  const before = old.metrics().committed.index;
  const write = outcomeOf(old.propose(setCommand("a", "1")));
  await cluster.clock.runUntil("the commit", () => old.metrics().committed.index > before, 1000);
  expect(old.metrics().lastApplied.index).toBe(before);
  cluster.network.partition([old.id], others);
  const next = await cluster.waitForLeader(others);
  await cluster.set(next, "b", "2");
  await cluster.run(next.triggerSnapshot());
  const snapshot = cluster.storage(next.id).stateMachine.readCurrentSnapshot();
  if (snapshot === null) throw new Error("no snapshot");
  const installed = outcomeOf(old.raft.installFullSnapshot(snapshot));
  await settled();
  cluster.storage(old.id).holdsCompletions = false;
  cluster.storage(old.id).completeHeld();
  await cluster.clock.advance(10);
  expect(installed).toEqual({ values: [undefined], errors: [] });
  expect(cluster.get(old.id, "b")).toBe("2");
  expect(write).toEqual({ values: [], errors: [expect.any(UnknownOutcomeError)] });
  cluster.network.heal();
  await cluster.converge();
});
