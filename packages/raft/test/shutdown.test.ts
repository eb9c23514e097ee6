import type { NodeId, SnapshotData } from "@seshat/common";
import { ShutdownError, UnknownOutcomeError } from "@seshat/common";
import { MemSnapshotData } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import { addressed } from "./support/addressed.js";
import type { Outcome } from "./support/promises.js";
import { deferred, outcomeOf, rejection, settled } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, voters } from "./support/values.js";

type Kind = readonly [
  name: string,
  outcome: Outcome<unknown>,
  error: abstract new (...args: never[]) => Error,
];

function snapshotOf(index: number, term = 9): { meta: object; data: SnapshotData } {
  return {
    meta: {
      lastLogId: logId(term, index),
      lastMembership: { logId: logId(0, 1), membership: voters(1) },
      snapshotId: "by-hand",
    },
    data: MemSnapshotData.of([new Uint8Array(8)]),
  };
}

/** A leader of three that reaches nobody, and whose disk does not answer: nothing that it is asked can end. */
async function stuckLeader(): Promise<{ cluster: TestCluster; leader: RaftNode; others: NodeId[] }> {
  const cluster = new TestCluster([1, 2, 3], { snapshotPolicy: { type: "never" }, storageStallMs: 100_000 });
  const leader = await cluster.found();
  await cluster.converge();
  const others = cluster.others(leader.id);
  cluster.network.partition([leader.id], [...others, 9]);
  return { cluster, leader, others };
}

describe("shutdown settles everything that waits, once", () => {
  test("on a leader: writes, reads, changes, waits, whatever is under way", async () => {
    const { cluster, leader, others } = await stuckLeader();
    const { raft } = leader;
    const [one] = others as [NodeId];
    const { incarnation } = cluster.node(one).metrics();
    // A blocking add that is committed, and waits for a learner that never comes.
    cluster.network.heal();
    const catchingUp = outcomeOf(leader.addLearner(9, { addr: "x" }, { blocking: true }));
    await cluster.clock.advance(100);
    cluster.network.partition([leader.id], [...others, 9]);
    // Its capture never ends, so a snapshot never does.
    const gate = deferred();
    cluster.storage(leader.id).kv.capture = () => ({
      async *chunks() {
        await gate.promise;
        yield new Uint8Array(1);
      },
    });
    const states = raft.changes(({ stopCause }) => stopCause);
    await states.next();
    const listened: (NodeId | null)[] = [];
    raft.onLeaderChange((id) => listened.push(id));
    const aborted = new AbortController();
    const kinds: Kind[] = [
      ["a write in the log", outcomeOf(leader.propose(setCommand("a", "1"))), UnknownOutcomeError],
      [
        "one with a timeout",
        outcomeOf(leader.propose(setCommand("a", "1"), { timeoutMs: 60_000 })),
        UnknownOutcomeError,
      ],
      [
        "one with a signal",
        outcomeOf(leader.propose(setCommand("a", "1"), { signal: aborted.signal })),
        UnknownOutcomeError,
      ],
      [
        "several writes",
        outcomeOf(leader.clientWriteMany([{ data: setCommand("a", "1") }])),
        UnknownOutcomeError,
      ],
      ["a session", outcomeOf(leader.openSession()), UnknownOutcomeError],
      [
        "a membership change",
        outcomeOf(leader.changeMembership({ type: "setNodes", nodes: [[9, { addr: "y" }]] })),
        UnknownOutcomeError,
      ],
      ["a learner that catches up", catchingUp, ShutdownError],
      ["a read", outcomeOf(leader.ensureLinearizable()), ShutdownError],
      ["a read with a timeout", outcomeOf(leader.ensureLinearizable({ timeoutMs: 60_000 })), ShutdownError],
      [
        "a read of a follower",
        outcomeOf(raft.readIndex(addressed(one, leader.id, { lease: false }, { incarnation }))),
        ShutdownError,
      ],
      ["a snapshot", outcomeOf(leader.triggerSnapshot()), ShutdownError],
      ["a condition", outcomeOf(raft.wait({ what: "x", holds: () => false }, 60_000)), ShutdownError],
    ];
    await cluster.clock.advance(10);
    kinds.push([
      "a transfer",
      outcomeOf(leader.transferLeader({ to: one, timeoutMs: 60_000 })),
      ShutdownError,
    ]);
    await cluster.clock.advance(0);
    // Of the turn in which the node stops.
    kinds.push(
      ["a new write", outcomeOf(leader.propose(setCommand("a", "2"))), ShutdownError],
      ["a new read", outcomeOf(leader.ensureLinearizable()), ShutdownError],
    );
    const change = outcomeOf(states.next());
    for (const [name, outcome] of kinds) expect(outcome, name).toEqual({ values: [], errors: [] });
    const down = leader.shutdown();
    gate.resolve();
    await cluster.run(down);
    for (const [name, { values, errors }, type] of kinds) {
      expect(values, name).toEqual([]);
      expect(errors, name).toHaveLength(1);
      expect(errors[0], name).toBeInstanceOf(type);
    }
    expect(change.values).toEqual([{ done: true, value: undefined }]);
    expect(listened).toEqual([null]);
    // Nothing of it comes to life again.
    aborted.abort();
    cluster.network.heal();
    await cluster.clock.advance(120_000);
    for (const [name, { errors }] of kinds) expect(errors, name).toHaveLength(1);
  });

  test("on a follower: what its disk does not answer, and what its leader does not", async () => {
    const cluster = new TestCluster([1, 2, 3], { storageStallMs: 100_000 });
    const leader = await cluster.found();
    await cluster.converge();
    const [one, two] = cluster.others(leader.id) as [NodeId, NodeId];
    const node = cluster.node(one);
    const { term, lastLogId } = node.metrics();
    cluster.network.partition([one], [leader.id, two]);
    const read = outcomeOf(node.ensureLinearizable());
    await cluster.clock.advance(0);
    cluster.storage(one).holdsCompletions = true;
    const { incarnation } = leader.metrics();
    const header = { incarnation };
    const append = {
      term,
      leaderId: leader.id,
      prevLogId: lastLogId,
      entries: [{ logId: logId(term, lastLogId.index + 1), payload: { type: "blank" } as const }],
      leaderCommit: 0,
    };
    const from = { candidateId: two, lastLogId: logId(term, 99) };
    const other = { incarnation: cluster.node(two).metrics().incarnation };
    const kinds: Kind[] = [
      ["a read", read, ShutdownError],
      [
        "entries",
        outcomeOf(node.raft.appendEntries(addressed(leader.id, one, append, header))),
        ShutdownError,
      ],
    ];
    await cluster.clock.advance(0);
    kinds.push(
      [
        "a vote",
        outcomeOf(node.raft.vote(addressed(two, one, { ...from, term: term + 5, transfer: true }, other))),
        ShutdownError,
      ],
      [
        "a pre-vote",
        outcomeOf(node.raft.preVote(addressed(two, one, { ...from, term: term + 6 }, other))),
        ShutdownError,
      ],
      [
        "a request to take over",
        outcomeOf(
          node.raft.timeoutNow(addressed(leader.id, one, { term, leaderId: leader.id, lastLogId }, header)),
        ),
        ShutdownError,
      ],
      [
        "a part of a snapshot",
        outcomeOf(
          node.raft.installSnapshot(
            addressed(
              leader.id,
              one,
              {
                term,
                leaderId: leader.id,
                ...snapshotOf(100, term),
                size: 8,
                offset: 0,
                data: new Uint8Array(8),
              } as never,
              header,
            ),
          ),
        ),
        ShutdownError,
      ],
    );
    await cluster.clock.advance(0);
    for (const [name, outcome] of kinds) expect(outcome, name).toEqual({ values: [], errors: [] });
    const down = outcomeOf(node.shutdown());
    cluster.storage(one).completeHeld();
    await cluster.clock.advance(1000);
    expect(down.values).toHaveLength(1);
    for (const [name, { values, errors }, type] of kinds) {
      expect(values, name).toEqual([]);
      expect(errors, name).toHaveLength(1);
      expect(errors[0], name).toBeInstanceOf(type);
    }
  });

  test("initialize in flight: its outcome is unknown, because the membership may be in the log", async () => {
    const cluster = new TestCluster([1], { storageStallMs: 100_000 });
    const node = await cluster.start(1);
    cluster.storage(1).holdsCompletions = true;
    const initializing = outcomeOf(node.initialize(nodesFor(1)));
    await cluster.clock.advance(100);
    expect(initializing).toEqual({ values: [], errors: [] });
    const down = node.shutdown();
    cluster.storage(1).completeHeld();
    await cluster.run(down);
    expect(initializing.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    // Here it is.
    cluster.storage(1).holdsCompletions = false;
    const again = await cluster.start(1);
    await cluster.run(again.waitForLeader());
    expect(await rejection(cluster.run(again.initialize(nodesFor(1))))).toMatchObject({
      code: "alreadyInitialized",
    });
  });

  test("the installing of a snapshot by hand: its outcome is unknown", async () => {
    const donor = new TestCluster([1]);
    const source = await donor.found();
    await donor.set(source, "a", "1");
    await donor.run(source.triggerSnapshot());
    const snapshot = donor.storage(1).stateMachine.readCurrentSnapshot();
    if (snapshot === null) throw new Error("no snapshot");
    const cluster = new TestCluster([2]);
    const node = await cluster.start(2);
    const gate = deferred();
    const { kv } = cluster.storage(2);
    const restore = kv.restore.bind(kv);
    kv.restore = async (chunks) => {
      await gate.promise;
      await restore(chunks);
    };
    const installing = outcomeOf(node.raft.installFullSnapshot(snapshot));
    const second = outcomeOf(node.raft.installFullSnapshot(snapshot));
    await cluster.clock.advance(10);
    expect(second.errors[0]).toMatchObject({ code: "overloaded" });
    expect(installing).toEqual({ values: [], errors: [] });
    const down = outcomeOf(node.shutdown());
    await cluster.clock.advance(10);
    expect(installing.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    // The state machine is in use until it has ended.
    expect(down.values).toEqual([]);
    gate.resolve();
    await cluster.clock.advance(10);
    expect(down.values).toHaveLength(1);
  });

  test("whatever is asked afterwards is refused by why the node does not run", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const snapshot = snapshotOf(100) as never;
    await cluster.stop(1);
    const { raft } = node;
    for (const ask of [
      () => node.propose(setCommand("a", "1")),
      () => node.clientWriteMany([{ data: setCommand("a", "1") }]),
      () => node.openSession({ timeoutMs: 5 }),
      () => node.ensureLinearizable(),
      () => node.initialize(nodesFor(1)),
      () => node.addLearner(2, { addr: "x" }, { blocking: true }),
      () => node.changeMembership([1]),
      () => node.transferLeader({ to: 1 }),
      () => node.triggerSnapshot(),
      () => raft.installFullSnapshot(snapshot),
      () => raft.wait({ what: "x", holds: () => false }, 5),
      () => raft.vote(addressed(2, 1, { term: 9, candidateId: 2, lastLogId: logId(9, 9), transfer: false })),
      async () => raft.trigger.elect(),
      async () => raft.trigger.purgeLog(1),
      async () => raft.configure({ elect: false }),
    ]) {
      expect(await rejection(ask()), ask.toString()).toBeInstanceOf(ShutdownError);
    }
    // The second time there is nothing left to do.
    await cluster.run(node.shutdown());
  });
});

test("await using shuts a node down", async () => {
  const cluster = new TestCluster([1]);
  let raft: RaftNode["raft"];
  {
    await using node = await cluster.start(1);
    raft = node.raft;
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
  }
  await settled();
  expect(raft.metrics().state).toBe("stopped");
  await raft[Symbol.asyncDispose]();
});

describe("installing a snapshot by hand", () => {
  test("replaces the state and what the log has of it; nothing is installed that is older, damaged, or no snapshot", async () => {
    const donor = new TestCluster([1]);
    const source = await donor.found();
    for (let i = 0; i < 5; i++) await donor.set(source, "a", String(i));
    await donor.run(source.triggerSnapshot());
    const snapshot = donor.storage(1).stateMachine.readCurrentSnapshot();
    if (snapshot === null) throw new Error("no snapshot");
    const cluster = new TestCluster([2]);
    const node = await cluster.start(2);
    for (const [none, field] of [
      [null, "snapshot"],
      [{}, "snapshot.meta"],
      [{ meta: snapshot.meta }, "snapshot.data"],
    ] as const) {
      const error = await rejection(node.raft.installFullSnapshot(none as never));
      expect(error, field).toMatchObject({ code: "invalidValue" });
      expect((error as Error & { field: string }).field).toMatch(new RegExp(`^${field}`));
    }
    const damaged = { meta: snapshot.meta, data: MemSnapshotData.of([new Uint8Array(20).fill(7)]) };
    expect(await rejection(cluster.run(node.raft.installFullSnapshot(damaged)))).toMatchObject({
      code: "codec",
    });
    expect(node.metrics()).toMatchObject({ state: "learner", lastApplied: logId(0, 0) });
    await cluster.run(node.raft.installFullSnapshot(snapshot));
    expect(cluster.get(2, "a")).toBe("4");
    expect(node.metrics()).toMatchObject({
      lastApplied: snapshot.meta.lastLogId,
      snapshot: snapshot.meta.lastLogId,
    });
    const error = await rejection(cluster.run(node.raft.installFullSnapshot(snapshot)));
    expect(error).toMatchObject({ code: "snapshotOutdated" });
  });

  test("one that is refused because too much waits leaves room for the next", async () => {
    const cluster = new TestCluster([1], { maxPendingRequests: 1, storageStallMs: 100_000 });
    const node = await cluster.start(1);
    cluster.storage(1).holdsCompletions = true;
    const initializing = outcomeOf(node.initialize(nodesFor(1)));
    await cluster.clock.advance(0);
    const refused = await rejection(node.raft.installFullSnapshot(snapshotOf(100) as never));
    expect(refused).toMatchObject({ code: "overloaded", what: "requests" });
    cluster.storage(1).holdsCompletions = false;
    cluster.storage(1).completeHeld();
    await cluster.clock.advance(100);
    expect(initializing.values).toHaveLength(1);
    // Its place is free: what is wrong now is the content.
    expect(
      await rejection(cluster.run(node.raft.installFullSnapshot(snapshotOf(100) as never))),
    ).toMatchObject({
      code: "codec",
    });
  });
});
