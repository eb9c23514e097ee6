import type { NodeId } from "@seshat/common";
import { InvalidValueError, StoppedError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import { recover } from "../src/recover.js";
import { addressed } from "./support/addressed.js";
import { rejection } from "./support/promises.js";
import { MANY_PARTS, writeMany } from "./support/snapshot-traffic.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, voters } from "./support/values.js";

const IDS = [1, 2, 3] as const;
const LEAP = 2 ** 32;
const LAST = 2 ** 52;

/** Every kind of request that says a term, from `from` to `node`. */
function everyRequest({ raft }: RaftNode, from: NodeId, term: number): Promise<unknown>[] {
  const meta = {
    lastLogId: logId(1, 99),
    lastMembership: { logId: logId(0, 1), membership: voters(...IDS) },
    snapshotId: "99",
  };
  const part = { meta, size: 0, offset: 0, data: new Uint8Array(0) };
  const append = { prevLogId: logId(0, 0), entries: [], leaderCommit: 0 };
  const send = <T extends object>(request: T) => addressed(from, raft.id, { ...request, term });
  return [
    raft.preVote(send({ candidateId: from, lastLogId: logId(1, 99) })),
    raft.vote(send({ candidateId: from, lastLogId: logId(1, 99), transfer: true })),
    raft.appendEntries(send({ leaderId: from, ...append })),
    raft.installSnapshot(send({ leaderId: from, ...part })),
    raft.timeoutNow(send({ leaderId: from, lastLogId: logId(1, 99) })),
  ];
}

/** However it ends. */
async function outcome(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}

function refusals(cluster: TestCluster): string[] {
  return cluster.history.filter((line) => line.includes("raft.term.refused"));
}

describe("a term far beyond its own is not believed", () => {
  test("in any kind of request: it is refused, counted, told once, and nobody's term rises", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const [from, to] = cluster.others(leader.id) as [NodeId, NodeId];
    const { term } = leader.metrics();
    const node = cluster.node(to);
    for (const far of [term + LEAP + 1, LAST, Number.MAX_SAFE_INTEGER]) {
      for (const call of everyRequest(node, from, far)) {
        const error = await rejection(call);
        expect(error).toBeInstanceOf(InvalidValueError);
        expect(error.message).toMatch(/\.term is \d+, but it must be at most \d+, for a node in term \d+/);
      }
    }
    await cluster.clock.advance(0);
    expect(node.metrics()).toMatchObject({ term, refusedTerms: 15, currentLeader: leader.id });
    expect(refusals(cluster)).toHaveLength(1);
    // The next leader has a term as if nothing had been.
    await cluster.run(leader.raft.transferLeader({ to }));
    const next = await cluster.waitForLeader([to]);
    expect(next.metrics().term).toBe(term + 1);
  });

  test.each(["preVote", "vote", "appendEntries", "timeoutNow", "installSnapshot"] as const)(
    "in an answer to %s: whoever asked has the term that it had, or the next",
    async (lie) => {
      const cluster = new TestCluster(IDS, MANY_PARTS);
      const leader = await cluster.found();
      const [slow] = cluster.others(leader.id) as [NodeId];
      await cluster.stop(slow);
      await writeMany(cluster, leader, 60);
      let lies = 0;
      cluster.intercept = async ({ rpc }, send) => {
        const response = await send();
        if (rpc !== lie || lies === 5) return response;
        lies += 1;
        const type = rpc === "installSnapshot" ? { type: "refused" } : {};
        return { ...response, ...type, term: Number.MAX_SAFE_INTEGER };
      };
      await cluster.start(slow);
      await cluster.clock.advance(1000);
      await outcome(cluster.run(leader.raft.transferLeader({ to: slow })));
      await cluster.clock.advance(1000);
      const old = await cluster.waitForLeader();
      cluster.network.partition([old.id], cluster.others(old.id));
      const next = await cluster.waitForLeader(cluster.others(old.id));
      cluster.network.heal();
      await cluster.set(next, "b", "2");
      await cluster.converge();
      expect(lies).toBeGreaterThan(0);
      for (const id of IDS) expect(cluster.node(id).metrics().term).toBeLessThan(100);
    },
  );

  test("in a snapshot that is brought by hand", async () => {
    const cluster = new TestCluster([1]);
    const leader = await cluster.found();
    await cluster.set(leader, "a", "1");
    await cluster.run(leader.raft.trigger.snapshot());
    const { data, meta } = cluster.storage(1).stateMachine.readCurrentSnapshot() ?? expect.unreachable();
    const far = { data, meta: { ...meta, lastLogId: logId(LAST, 99) } };
    expect(await rejection(leader.raft.installFullSnapshot(far))).toMatchObject({
      field: "snapshot.meta.lastLogId.term",
    });
  });

  test("by a new node it is, which may have come to an old cluster", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    const [, , append] = everyRequest(node, 2, 2 ** 40);
    expect(await cluster.run(append as Promise<unknown>)).toMatchObject({ type: "success", term: 2 ** 40 });
    expect(node.metrics()).toMatchObject({ term: 2 ** 40, refusedTerms: 0 });
  });

  test("one that somebody may have come to meanwhile is", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const [from, to] = cluster.others(leader.id) as [NodeId, NodeId];
    const term = leader.metrics().term + LEAP;
    const [, vote] = everyRequest(cluster.node(to), from, term);
    expect(await cluster.run(vote as Promise<unknown>)).toMatchObject({ term });
  });
});

describe("no term comes after the last", () => {
  test("a new node does not believe one", async () => {
    const cluster = new TestCluster(IDS);
    const node = await cluster.start(1);
    for (const call of everyRequest(node, 2, LAST + 1)) {
      expect(await rejection(call)).toMatchObject({ found: String(LAST + 1) });
    }
    expect(node.metrics()).toMatchObject({ term: 0, refusedTerms: 5 });
  });

  test("who has come to it stands no more, and says why", async () => {
    const cluster = new TestCluster([1]);
    await cluster.found();
    await cluster.stop(1);
    cluster.storage(1).saveVote({ term: LAST, votedFor: null, committed: false });
    const node = await cluster.start(1);
    await cluster.clock.runUntil("the end", () => node.metrics().state === "stopped", 10_000);
    const stopped = await rejection(node.propose({} as never));
    expect(stopped).toBeInstanceOf(StoppedError);
    expect(stopped.message).toContain(`term is ${LAST}, but it must be less than ${LAST}`);
    const recovered = recover({
      id: 1,
      storage: cluster.storage(1),
      stateMachine: cluster.storage(1).stateMachine,
      nodes: nodesFor(1),
    });
    expect(await rejection(recovered)).toMatchObject({ field: "term" });
  });
});
