import { SessionError, UnknownOutcomeError } from "@seshat/common";
import type { SessionCommand } from "@seshat/common";
import { KeyValueStateMachine, OpenRaftMemStorage, encodeOperation } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { until } from "../src/condition.js";
import { Raft } from "../src/raft.js";
import { outcomeOf, rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { nodesFor, setCommand, text, utf8 } from "./support/values.js";

const IDS = [1, 2, 3] as const;

/** Answers how many keys it deleted: carried out twice it gives itself away. */
const DELETE = encodeOperation({ type: "del", keys: [utf8("a")] });

function number(sessionId: number, sequence: number): { session: SessionCommand } {
  return { session: { sessionId, sequence, answeredBelow: 1 } };
}

describe("a command of a session", () => {
  test("that is sent again, to the same leader, is applied once and gets the same answer", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const session = await cluster.run(node.openSession());
    expect(session).toBe(node.metrics().lastApplied.index);
    await cluster.set(node, "a", "1");
    for (let attempt = 0; attempt < 3; attempt++) {
      const response = await cluster.run(node.propose(DELETE, number(session, 1)));
      expect(text(response.result)).toBe("1");
    }
    const next = await cluster.run(node.propose(DELETE, number(session, 2)));
    expect(text(next.result)).toBe("0");
  });

  test("whose answer was lost with the leader is applied once, whoever leads when it is sent again", async () => {
    const cluster = new TestCluster(IDS);
    const old = await cluster.found();
    const session = await cluster.run(old.openSession());
    await cluster.set(old, "a", "1");
    await cluster.converge();
    const others = cluster.others(old.id);
    // The command arrives, the answers to it do not.
    for (const id of others) cluster.network.cut(id, old.id);
    const first = outcomeOf(old.propose(DELETE, number(session, 1)));
    await cluster.clock.runUntil("the old leader to give up", () => first.errors.length > 0, 1000);
    expect(first.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    cluster.network.partition([old.id], others);
    const next = await cluster.waitForLeader(others);
    // It did happen: without a session a second attempt would find nothing to delete.
    expect(cluster.get(next.id, "a")).toBeNull();
    const again = await cluster.run(next.propose(DELETE, number(session, 1)));
    expect(text(again.result)).toBe("1");

    cluster.network.heal();
    await cluster.converge();
    await cluster.stop(next.id);
    const third = await cluster.waitForLeader(cluster.others(next.id));
    expect(text((await cluster.run(third.propose(DELETE, number(session, 1)))).result)).toBe("1");
  });

  test("of a session that was not used for too long is refused, and has no effect", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const session = await cluster.run(leader.openSession({ expiresAfter: 3 }));
    for (let i = 0; i < 3; i++) await cluster.set(leader, "a", String(i));
    const error = await rejection(cluster.run(leader.propose(DELETE, number(session, 1))));
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ sessionId: session, problem: "expired" });
    expect(cluster.get(leader.id, "a")).toBe("2");
  });

  test("is refused by name when it has no proper numbers, before it is appended", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const before = node.metrics().lastLogId;
    const error = await rejection(node.propose(DELETE, number(3, 0)));
    expect(error).toMatchObject({ field: "options.session.sequence" });
    expect(node.metrics().lastLogId).toEqual(before);
  });

  test("survives a snapshot and a restart that has nothing else: it is not applied again", async () => {
    const cluster = new TestCluster([1]);
    const config = { snapshotPolicy: { type: "never" }, maxInSnapshotLogToKeep: 0 } as const;
    const first = await cluster.start(1, { config });
    await cluster.run(first.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const session = await cluster.run(first.openSession());
    await cluster.set(first, "a", "1");
    expect(text((await cluster.run(first.propose(DELETE, number(session, 1)))).result)).toBe("1");
    await cluster.run(first.triggerSnapshot());
    await cluster.clock.advance(10);
    const { purged, lastApplied } = first.metrics();
    expect(purged).toEqual(lastApplied);
    const snapshot = first.storage.stateMachine.readCurrentSnapshot();
    await cluster.stop(1);

    // A new state machine over the old log: all it knows is the snapshot.
    const kv = new KeyValueStateMachine();
    const fresh = new OpenRaftMemStorage(kv).stateMachine;
    if (snapshot === null) expect.unreachable("there is a snapshot");
    else await fresh.installSnapshot(snapshot);
    const raft = await Raft.create({
      id: 1,
      storage: cluster.storage(1),
      stateMachine: fresh,
      network: cluster.network.from(1),
      runtime: cluster.clock.runtime({ next: () => 0.5 } as never),
      config,
    });
    await cluster.run(raft.wait(until.state("leader"), 1000));
    const again = await cluster.run(raft.clientWrite({ data: DELETE }, number(session, 1)));
    expect(text(again.response.result)).toBe("1");
    await cluster.run(raft.clientWrite({ data: setCommand("a", "2") }));
    expect(
      text((await cluster.run(raft.clientWrite({ data: DELETE }, number(session, 1)))).response.result),
    ).toBe("1");
    expect(text(kv.get(utf8("a")))).toBe("2");
    await cluster.run(raft.shutdown());
  });

  test("where the state machine keeps no sessions none is opened, and the error says why", async () => {
    const cluster = new TestCluster([1]);
    const plain = {
      apply: () => ({ result: utf8("OK"), error: null }),
      capture: () => ({ chunks: () => [] }),
      restore: () => {},
    };
    const node = await cluster.start(1, { storage: new OpenRaftMemStorage(plain) });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const error = await rejection(cluster.run(node.openSession()));
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ problem: "unsupported" });
    expect(node.metrics().state).toBe("leader");
  });
});
