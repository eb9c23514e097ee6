import type { NodeId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/index.js";
import { outcomeOf } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

const IDS = [1, 2, 3];
const DELAY_MS = 10;

/** A cluster at rest, whom its leader sends to at once and whom later, and how many messages with entries each was sent since. */
async function atRest(): Promise<{
  cluster: TestCluster;
  leader: RaftNode;
  chosen: NodeId;
  spare: NodeId;
  messages: Map<NodeId, number>;
}> {
  const cluster = new TestCluster(IDS, { thriftyDelayMs: DELAY_MS });
  const leader = await cluster.found();
  await cluster.converge();
  const messages = new Map<NodeId, number>();
  cluster.intercept = ({ to, entries }, send) => {
    if (entries.length > 0) messages.set(to, (messages.get(to) ?? 0) + 1);
    return send();
  };
  await cluster.set(leader, "first", "1");
  const [chosen] = messages.keys();
  const spare = cluster.others(leader.id).find((id) => id !== chosen);
  if (chosen === undefined || spare === undefined) throw new Error("nobody was sent the first write");
  await cluster.converge();
  messages.clear();
  return { cluster, leader, chosen, spare, messages };
}

describe("thrifty replication", () => {
  test("spares a follower most messages while a client writes, and it has everything in the end", async () => {
    const { cluster, leader, chosen, spare, messages } = await atRest();
    for (let i = 0; i < 200; i++) {
      await cluster.set(leader, `key ${i}`, `${i}`);
      await cluster.clock.advance(1);
    }
    expect(messages.get(chosen)).toBe(200);
    expect(messages.get(spare)).toBeLessThanOrEqual(200 / DELAY_MS);
    await cluster.converge();
    for (let i = 0; i < 200; i++) expect(cluster.get(spare, `key ${i}`)).toBe(`${i}`);
  });

  test("turns to the other follower when the chosen one hangs: a write waits for the delay, and those after it do not", async () => {
    const { cluster, leader, chosen } = await atRest();
    cluster.intercept = ({ to }, send) => (to === chosen ? new Promise(() => {}) : send());
    const times: number[] = [];
    for (let i = 0; i < 100; i++) {
      const began = cluster.clock.now;
      await cluster.set(leader, `key ${i}`, `${i}`);
      times.push(cluster.clock.now - began);
    }
    expect(times[0]).toBeLessThanOrEqual(DELAY_MS + 1);
    expect(times.slice(1).filter((ms) => ms >= 1)).toEqual([]);
  });

  test("loses nothing: what was acknowledged before the leader died is there, though only one follower had it", async () => {
    const { cluster, leader, chosen, spare } = await atRest();
    const write = outcomeOf(leader.propose(setCommand("last", "words")));
    await cluster.clock.advance(0);
    expect(write.values).toHaveLength(1);
    const had = (id: NodeId): number => cluster.node(id).metrics().lastLogId.index;
    expect(had(chosen)).toBe(had(spare) + 1);
    await cluster.stop(leader.id);
    const next = await cluster.waitForLeader([chosen, spare]);
    expect(next.id).toBe(chosen);
    await cluster.set(next, "more", "1");
    await cluster.converge();
    for (const id of [chosen, spare]) expect(cluster.get(id, "last")).toBe("words");
  });

  test("lets no reader on a spare follower wait: it is sent what it lacks when it asks", async () => {
    const { cluster, leader, spare } = await atRest();
    await cluster.set(leader, "key", "new");
    expect(cluster.get(spare, "key")).toBeNull();
    const began = cluster.clock.now;
    await cluster.run(cluster.node(spare).raft.ensureLinearizable());
    expect(cluster.get(spare, "key")).toBe("new");
    // News of the commit may be held back a moment, the entry is not.
    expect(cluster.clock.now - began).toBeLessThan(DELAY_MS / 2);
  });
});
