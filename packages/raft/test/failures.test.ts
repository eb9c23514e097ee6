import type { Request, Response, SeshatError } from "@seshat/common";
import { ShutdownError, StoppedError, StorageError, UnknownOutcomeError } from "@seshat/common";
import type { StateCapture, StateMachine } from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RaftNode } from "../src/raft-node.js";
import { SeededRandom } from "../src/testing.js";
import type { Outcome } from "./support/promises.js";
import { addressed } from "./support/addressed.js";
import { foundInStorage } from "./support/founding.js";
import { deferred, outcomeOf, rejection } from "./support/promises.js";
import type { StorageCall } from "./support/scripted-storage.js";
import { SILENT_PEER } from "./support/silent-peer.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, utf8 } from "./support/values.js";

const NEVER = { type: "never" } as const;

/** Every later call is refused, with the cause in it, and the metrics show it. */
async function checkStopped(cluster: TestCluster, node: RaftNode, verb: string, cause: Error): Promise<void> {
  await cluster.clock.advance(0);
  const { state, stopCause } = node.metrics();
  expect(state).toBe("stopped");
  expect(stopCause).toBeInstanceOf(StorageError);
  expect(stopCause).toMatchObject({ verb, cause });
  const calls: Promise<unknown>[] = [
    node.propose(setCommand("a", "1")),
    node.ensureLinearizable(),
    node.initialize(nodesFor(1)),
    node.triggerSnapshot(),
    node.waitForLeader(),
    node.raft.vote(addressed(2, 1, { term: 9, candidateId: 2, lastLogId: logId(0, 0), transfer: false })),
  ];
  for (const call of calls) {
    const error = await rejection(call);
    expect(error).toBeInstanceOf(StoppedError);
    expect(error.cause).toBe(stopCause);
    expect(error.message).toContain(cause.message);
  }
  expect(() => node.raft.trigger.elect()).toThrow(StoppedError);
  // It stays silent for ever, and can be shut down.
  await cluster.clock.advance(60_000);
  await cluster.run(node.shutdown());
  expect(node.metrics().stopCause).toBe(stopCause);
}

function checkUnknownOnce(outcome: Outcome<unknown>): void {
  expect(outcome.values).toHaveLength(0);
  expect(outcome.errors).toHaveLength(1);
  expect(outcome.errors[0]).toBeInstanceOf(UnknownOutcomeError);
}

describe("storage that fails stops the node, with the cause in every later error", () => {
  test("at saveVote: the election is not won", async () => {
    const cluster = new TestCluster([1]);
    const cause = new Error("disk full");
    const node = await cluster.start(1);
    cluster.storage(1).failures.set("saveVote", cause);
    await cluster.run(node.initialize(nodesFor(1)));
    await checkStopped(cluster, node, "save vote", cause);
  });

  test("at append: the write may be in the log, so its outcome is unknown; the next one is certainly not", async () => {
    const cluster = new TestCluster([1]);
    const cause = new Error("disk full");
    const node = await cluster.found();
    cluster.storage(1).failures.set("append", cause);
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
    expect(write.errors[0]?.cause).toBe(node.metrics().stopCause);
    await checkStopped(cluster, node, "append", cause);
  });

  test("at the completion of an append, later: the same", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    const cause = new Error("sync failed");
    storage.completeHeld(cause);
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
    await checkStopped(cluster, node, "append", cause);
  });

  test("at saveCommitted, though it is only a hint", async () => {
    const cluster = new TestCluster([1]);
    const cause = new Error("disk full");
    const node = await cluster.found();
    cluster.storage(1).failures.set("saveCommitted", cause);
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
    await checkStopped(cluster, node, "save committed", cause);
  });

  test("at purge", async () => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER, maxInSnapshotLogToKeep: 0 });
    const cause = new Error("disk full");
    const node = await cluster.found();
    cluster.storage(1).failures.set("purge", cause);
    void outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(0);
    await checkStopped(cluster, node, "purge", cause);
  });

  test("at apply: a state machine that throws", async () => {
    const cluster = new TestCluster([1]);
    const cause = new Error("bug in the application");
    const node = await startWith(cluster, {
      apply: () => {
        throw cause;
      },
    });
    const writes = ["a", "b"].map((key) => outcomeOf(node.propose(setCommand(key, "1"))));
    await cluster.clock.advance(0);
    for (const write of writes) checkUnknownOnce(write);
    await checkStopped(cluster, node, "apply", cause);
  });

  test.each(["the capture", "the chunks"])("at the building of a snapshot: %s", async (where) => {
    const cluster = new TestCluster([1], { snapshotPolicy: NEVER });
    const cause = new Error("out of memory");
    const fail = (): never => {
      throw cause;
    };
    const node = await startWith(cluster, {
      capture: where === "the capture" ? fail : () => ({ chunks: fail }),
    });
    const snapshot = outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(0);
    expect(snapshot.errors[0]).toBeInstanceOf(StoppedError);
    await checkStopped(cluster, node, "build snapshot", cause);
  });

  test("at a restart, when what was committed cannot be applied", async () => {
    const cluster = new TestCluster([1], { maxApplyEntries: 1 });
    const node = await cluster.found();
    void outcomeOf(node.propose(setCommand("a", "1")));
    void outcomeOf(node.propose(setCommand("b", "1")));
    await cluster.clock.runUntil("the first of the two", () => cluster.get(1, "a") !== null, 100);
    await cluster.run(node.shutdown());
    const cause = new Error("bug in the application");
    cluster.storage(1).kv.apply = () => {
      throw cause;
    };
    const next = await cluster.start(1);
    await checkStopped(cluster, next, "apply", cause);
  });

  test("a broken invariant stops the node too, and says which", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    // Nobody but a broken storage can do this: the log is shorter than the node knows it to be.
    const storage = cluster.storage(1);
    storage.truncate(2);
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
    expect(node.metrics().stopCause?.message).toContain("leaves a hole");
  });
});

interface Broken {
  apply?: StateMachine<Request, Response>["apply"];
  capture?: () => StateCapture;
}

/** A leader over a state machine with some parts broken. */
async function startWith(cluster: TestCluster, broken: Broken): Promise<RaftNode> {
  const kv = new KeyValueStateMachine();
  Object.assign(kv, broken);
  const node = await cluster.start(1, { storage: new OpenRaftMemStorage(kv) });
  await cluster.run(node.initialize(nodesFor(1)));
  await cluster.waitForLeader();
  return node;
}

describe("shutting down", () => {
  test("a write that is under way ends once: unknown when it may be in the log, refused when it certainly is not", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const appended = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    const fresh = outcomeOf(node.propose(setCommand("b", "1")));
    const read = outcomeOf(node.ensureLinearizable());
    const stopped = outcomeOf(node.shutdown());
    await cluster.clock.advance(0);
    checkUnknownOnce(appended);
    expect(fresh).toMatchObject({ values: [], errors: [{ code: "shutdown" }] });
    expect(read).toMatchObject({ values: [], errors: [{ code: "shutdown" }] });
    storage.holdsCompletions = false;
    storage.completeHeld();
    await cluster.clock.advance(0);
    expect(stopped.values).toHaveLength(1);
    expect([appended, fresh, read].map(({ errors }) => errors.length)).toEqual([1, 1, 1]);
    // What was unknown turned out to have happened.
    await cluster.start(1);
    await cluster.waitForLeader();
    expect([cluster.get(1, "a"), cluster.get(1, "b")]).toEqual(["1", null]);
  });

  test("from within the state machine: the write that did it may be in the log, and ends once", async () => {
    const cluster = new TestCluster([1]);
    const kv = new KeyValueStateMachine();
    const apply = kv.apply.bind(kv);
    let stop: () => void = () => {};
    kv.apply = (index, request) => {
      stop();
      return apply(index, request);
    };
    const node = await cluster.start(1, { storage: new OpenRaftMemStorage(kv) });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    stop = () => void node.shutdown();
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
    expect(node.metrics()).toMatchObject({ state: "stopped", stopCause: null });
  });

  test("from within storage, in the middle of the step that appends: unknown, not refused", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const storage = cluster.storage(1);
    const append = storage.append.bind(storage);
    storage.append = (entries, completion) => {
      append(entries, completion);
      void node.shutdown();
    };
    const write = outcomeOf(node.propose(setCommand("a", "1")));
    await cluster.clock.advance(0);
    checkUnknownOnce(write);
  });

  test("a state machine that writes to its own node is heard", async () => {
    const cluster = new TestCluster([1]);
    const kv = new KeyValueStateMachine();
    const apply = kv.apply.bind(kv);
    const node = await cluster.start(1, { storage: new OpenRaftMemStorage(kv) });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    let echo: Outcome<unknown> | null = null;
    kv.apply = (index, request) => {
      echo ??= outcomeOf(node.propose(setCommand("echo", "1")));
      return apply(index, request);
    };
    await cluster.set(node, "a", "1");
    await cluster.clock.advance(0);
    expect(echo).toMatchObject({ values: [{ error: null }], errors: [] });
    expect(kv.has(utf8("echo"))).toBe(true);
  });

  test("requests of peers and waits end as well", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const storage = cluster.storage(1);
    storage.holdsCompletions = true;
    const append = outcomeOf(
      node.raft.appendEntries(
        addressed(2, 1, {
          term: 1,
          leaderId: 2,
          prevLogId: logId(0, 0),
          entries: [{ logId: logId(1, 1), payload: { type: "blank" } }],
          leaderCommit: 0,
        }),
      ),
    );
    await cluster.clock.advance(0);
    const wait = outcomeOf(node.raft.wait({ what: "pigs to fly", holds: () => false }, 60_000));
    const vote = outcomeOf(
      node.raft.vote(addressed(3, 1, { term: 2, candidateId: 3, lastLogId: logId(1, 1), transfer: false })),
    );
    void node.shutdown();
    await cluster.clock.advance(0);
    for (const outcome of [append, wait, vote]) {
      expect(outcome.values).toHaveLength(0);
      expect(outcome.errors).toHaveLength(1);
      expect(outcome.errors[0]).toBeInstanceOf(ShutdownError);
    }
    storage.completeHeld();
  });

  test("in the middle of a step: what the rest of the step asks for is not started", async () => {
    const cluster = new TestCluster([1]);
    const asked: number[] = [];
    const network = {
      connect: (target: number) => {
        const preVote = (): Promise<never> => {
          asked.push(target);
          void node.shutdown();
          return new Promise<never>(() => {});
        };
        return { ...SILENT_PEER, preVote };
      },
    };
    await foundInStorage(cluster.storage(1), 1, 2, 3);
    const node = await cluster.start(1, { network });
    await cluster.clock.advance(1000);
    expect(asked).toEqual([2]);
  });

  test("while entries are read for a follower: they are not sent any more", async () => {
    const cluster = new TestCluster([1, 2, 3], { logCacheEntries: 1, snapshotPolicy: NEVER });
    const connects: string[] = [];
    const from = cluster.network.from.bind(cluster.network);
    cluster.network.from = (id) => ({
      connect: (target, described) => {
        connects.push(`${id}>${target}`);
        return from(id).connect(target, described);
      },
    });
    const leader = await cluster.found();
    const late = cluster.ids.find((id) => id !== leader.id) as number;
    await cluster.converge();
    await cluster.stop(late);
    for (const key of ["a", "b", "c"]) await cluster.set(leader, key, "1");
    // The entries come from storage, and storage takes its time.
    const storage = cluster.storage(leader.id);
    const read = deferred<never>();
    let reads = 0;
    storage.readEntries = () => {
      reads += 1;
      return read.promise as never;
    };
    await cluster.start(late);
    await cluster.clock.runUntil("a read", () => reads > 0, 10_000);
    const entries = storage.log.read(3, 5);
    void leader.shutdown();
    connects.length = 0;
    read.resolve(entries as never);
    await cluster.clock.advance(0);
    expect(connects.filter((link) => link.startsWith(`${leader.id}>`))).toEqual([]);
  });

  test("no connection is opened once the node has stopped, and those there were are closed", async () => {
    const cluster = new TestCluster([1]);
    const connections: string[] = [];
    const network = {
      connect: (target: number) => {
        connections.push(`open ${target}`);
        return { ...SILENT_PEER, close: () => void connections.push(`close ${target}`) };
      },
    };
    await foundInStorage(cluster.storage(1), 1, 2, 3);
    const node = await cluster.start(1, { network });
    await cluster.clock.advance(500);
    expect(connections).toEqual(["open 2", "open 3"]);
    await cluster.run(node.shutdown());
    await cluster.clock.advance(60_000);
    expect(connections).toEqual(["open 2", "open 3", "close 2", "close 3"]);
  });
});

describe("whatever happens, each write ends exactly once", () => {
  const calls: StorageCall[] = ["append", "saveCommitted", "saveVote"];
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ type: fc.constant("write" as const), count: fc.integer({ min: 1, max: 5 }) }),
    },
    { weight: 4, arbitrary: fc.constant({ type: "turn" as const }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("hold" as const), on: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant({ type: "complete" as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("fail" as const), call: fc.constantFrom(...calls) }),
    },
    { weight: 1, arbitrary: fc.constant({ type: "failCompletion" as const }) },
    { weight: 1, arbitrary: fc.constant({ type: "shutdown" as const }) },
    { weight: 1, arbitrary: fc.constant({ type: "elect" as const }) },
    { weight: 1, arbitrary: fc.constant({ type: "depose" as const }) },
  );

  test("and what was answered is in the state machine, what was refused is not (property)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), fc.nat(), async (actions, seed) => {
        const cluster = new TestCluster([1], { maxPendingRequests: 12 }, seed);
        const node = await cluster.found();
        const storage = cluster.storage(1);
        const random = new SeededRandom(seed);
        const writes: { key: string; outcome: Outcome<Response> }[] = [];
        for (const act of actions) {
          switch (act.type) {
            case "write":
              for (let i = 0; i < act.count; i++) {
                const key = `key ${writes.length}`;
                writes.push({ key, outcome: outcomeOf(node.propose(setCommand(key, "1"))) });
              }
              break;
            case "turn":
              await cluster.clock.advance(random.integer(0, 400));
              break;
            case "hold":
              storage.holdsCompletions = act.on;
              if (!act.on) storage.completeHeld();
              break;
            case "complete":
              storage.completeHeld();
              break;
            case "fail":
              storage.failures.set(act.call, new Error("scripted"));
              break;
            case "failCompletion":
              storage.completeHeld(new Error("scripted"));
              break;
            case "shutdown":
              void node.shutdown();
              break;
            case "elect":
              if (node.metrics().state !== "stopped") node.raft.trigger.elect();
              break;
            case "depose":
              void outcomeOf(
                node.raft.vote(
                  addressed(2, 1, {
                    term: node.metrics().term + 1,
                    candidateId: 2,
                    lastLogId: logId(1, 99),
                    transfer: false,
                  }),
                ),
              );
              break;
          }
        }
        await cluster.clock.advance(1000);
        storage.holdsCompletions = false;
        storage.completeHeld();
        await cluster.clock.advance(1000);
        await cluster.run(node.shutdown());
        await cluster.clock.advance(0);
        for (const { key, outcome } of writes) {
          expect(outcome.values.length + outcome.errors.length, key).toBe(1);
          const [error] = outcome.errors;
          if (error === undefined) expect(storage.kv.has(utf8(key)), key).toBe(true);
          else if (!(error instanceof UnknownOutcomeError)) {
            expect(storage.kv.has(utf8(key)), `${key} ${error.name}`).toBe(false);
            expect(["notLeader", "overloaded", "shutdown", "stopped"]).toContain((error as SeshatError).code);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
