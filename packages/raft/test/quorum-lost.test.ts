import { NotLeaderError, QuorumNotEnoughError, UnknownOutcomeError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_CONFIG } from "../src/config.js";
import { outcomeOf } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const { electionTimeoutMaxMs } = DEFAULT_RAFT_CONFIG;

describe("a leader that loses its quorum", () => {
  test("steps down within an election timeout, and refuses writes and reads at once", async () => {
    const cluster = new TestCluster([1, 2, 3]);
    const leader = await cluster.found();
    await cluster.converge();
    cluster.network.partition([1], [2], [3]);
    const pending = outcomeOf(leader.propose(setCommand("a", "1")));
    await cluster.clock.advance(electionTimeoutMaxMs);
    expect(leader.isLeader()).toBe(false);
    expect(pending.errors).toHaveLength(1);
    expect(pending.errors[0]).toBeInstanceOf(UnknownOutcomeError);

    const { lastLogId } = leader.metrics();
    const write = outcomeOf(leader.propose(setCommand("b", "1")));
    const read = outcomeOf(leader.ensureLinearizable());
    await cluster.clock.advance(0);
    for (const { errors } of [write, read]) expect(errors[0]).toBeInstanceOf(QuorumNotEnoughError);
    await cluster.clock.advance(5000);
    expect(leader.metrics().lastLogId).toEqual(lastLogId);
    // A node that never led says only that there is no leader.
    const other = outcomeOf(
      cluster.node(cluster.others(leader.id)[0] as number).propose(setCommand("c", "1")),
    );
    await cluster.clock.advance(0);
    expect(other.errors[0]).toBeInstanceOf(NotLeaderError);
  });

  test("knows better once there is a leader again", async () => {
    const cluster = new TestCluster([1, 2, 3]);
    const old = await cluster.found();
    await cluster.converge();
    cluster.network.partition([old.id], cluster.others(old.id));
    const next = await cluster.waitForLeader(cluster.others(old.id));
    await cluster.clock.advance(electionTimeoutMaxMs);
    cluster.network.heal();
    await cluster.converge();
    const write = outcomeOf(old.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    expect(write.errors[0]).toBeInstanceOf(NotLeaderError);
    expect(write.errors[0]).toMatchObject({ leaderId: next.id });
  });

  test("is not one that still reaches a majority: it goes on in its term, however many others are gone", async () => {
    const cluster = new TestCluster([1, 2, 3, 4, 5]);
    const leader = await cluster.found();
    await cluster.converge();
    const { term } = leader.metrics();
    for (const id of cluster.others(leader.id).slice(0, 2)) await cluster.stop(id);
    await cluster.clock.advance(10_000);
    await cluster.set(leader, "a", "1");
    expect(leader.metrics()).toMatchObject({ state: "leader", term });
  });

  test("does not step down in a cluster of one", async () => {
    const cluster = new TestCluster([1]);
    const leader = await cluster.found();
    await cluster.clock.advance(10_000);
    expect(leader.metrics()).toMatchObject({ state: "leader", term: 1 });
  });
});
