import type { AsyncRuntime, LogEntry, Request, Response } from "@seshat/common";
import { KeyValueStateMachine, OpenRaftMemStorage, encodeOperation } from "@seshat/storage";
import { describe, expect, test, vi } from "vitest";
import { addressed } from "../../test/support/addressed.js";
import { foundInStorage } from "../../test/support/founding.js";
import { deferred, outcomeOf, rejection } from "../../test/support/promises.js";
import { TestCluster } from "../../test/support/test-cluster.js";
import { blank, logId, nodesFor, setCommand, text, utf8 } from "../../test/support/values.js";
import { Engine } from "../engine/engine.js";
import { RaftNode } from "../raft-node.js";
import { SeededRandom } from "../testing.js";

describe("one turn", () => {
  test("every write of a batch gets the response to its own command", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const del = (...keys: string[]): Uint8Array => encodeOperation({ type: "del", keys: keys.map(utf8) });
    const commands = [
      setCommand("a", "1"),
      setCommand("b", "1"),
      del("a", "b", "c"),
      del("a"),
      setCommand("a", "2"),
      del("a"),
    ];
    const written = await cluster.run(Promise.all(commands.map((data) => node.clientWrite({ data }))));
    expect(written.map(({ response }) => text(response.result))).toEqual(["OK", "OK", "2", "0", "OK", "1"]);
    expect(written.map(({ logId }) => logId.index)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test("takes what synchronous lanes answer along: a batch is one turn from proposal to response", async () => {
    const cluster = new TestCluster([1]);
    let turns = 0;
    const virtual = cluster.clock.runtime(new SeededRandom(1));
    const runtime: AsyncRuntime = {
      ...virtual,
      soon: (callback) => {
        turns += 1;
        virtual.soon(callback);
      },
      yield: (callback) => {
        turns += 1;
        virtual.yield(callback);
      },
    };
    const node = await cluster.start(1, { runtime });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    turns = 0;
    await cluster.run(Promise.all(Array.from({ length: 1000 }, () => node.propose(setCommand("a", "1")))));
    expect(turns).toBe(1);
  });
});

test("every step has its own time: after a state machine that worked for long no lease is believed that has ended", async () => {
  let worked = 0;
  class Slow extends KeyValueStateMachine {
    override apply(index: number, request: Request): Response {
      worked += 1000;
      return super.apply(index, request);
    }
  }
  const cluster = new TestCluster([1]);
  const virtual = cluster.clock.runtime(new SeededRandom(1));
  const step = vi.spyOn(Engine.prototype, "step");
  const node = await RaftNode.start({
    id: 1,
    storage: new OpenRaftMemStorage(new Slow()),
    runtime: { ...virtual, now: () => virtual.now() + worked },
  });
  await cluster.run(node.initialize(nodesFor(1)));
  await cluster.run(node.waitForLeader());
  step.mockClear();
  const writing = node.propose(setCommand("a", "1"));
  await cluster.run(writing);
  const times = step.mock.calls.map(([event, now]) => [event.type, now - cluster.clock.now]);
  step.mockRestore();
  await node.shutdown();
  expect(times).toEqual([
    ["clientWrite", 0],
    ["persisted", 0],
    ["applied", 1000],
  ]);
});

describe("what a lane reports at once", () => {
  test("is taken up before anything else that waits, and after the rest of what the step asked for", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const step = vi.spyOn(Engine.prototype, "step");
    // The read is asked for in the same turn, and waits behind the write.
    await cluster.run(
      Promise.all([node.propose(setCommand("a", "1")), node.raft.ensureLinearizable().catch(() => {})]),
    );
    const types = step.mock.calls.map(([{ type }]) => type);
    step.mockRestore();
    expect(types).toEqual(["clientWrite", "persisted", "applied", "readIndex"]);
  });

  test("does not overtake an earlier report that waits", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    const disk = cluster.storage(1);
    const { raft } = node;
    const append = (entries: LogEntry<Request>[], prevIndex: number): Promise<unknown> =>
      raft.appendEntries(
        addressed(2, 1, {
          term: 1,
          leaderId: 2,
          prevLogId: logId(prevIndex === 0 ? 0 : 1, prevIndex),
          entries,
          leaderCommit: 0,
        }),
      );
    disk.holdsCompletions = true;
    const first = append([blank(1, 1)], 0);
    await cluster.clock.advance(0);
    expect(disk.held).toBe(1);
    const second = append([blank(1, 2)], 1);
    // The first is done while the second waits for its turn; then the disk has nothing to wait for.
    disk.completeHeld();
    disk.holdsCompletions = false;
    const answers = await cluster.run(Promise.all([first, second]));
    expect(answers).toMatchObject([{ matchIndex: 1 }, { matchIndex: 2 }]);
    expect(node.metrics().stopCause).toBeNull();
  });
});

describe("what cannot happen stops the node", () => {
  test("a leader that wants to take back what is committed", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.set(node, "a", "1");
    const rogue = { term: 9, leaderId: 2, prevLogId: logId(0, 0), entries: [blank(9, 1)], leaderCommit: 1 };
    const error = await rejection(cluster.run(node.raft.appendEntries(addressed(2, 1, rogue))));
    expect(error).toMatchObject({ code: "stopped" });
    expect(node.metrics()).toMatchObject({ state: "stopped", committed: logId(1, 3) });
    expect(node.metrics().stopCause?.message).toContain("everything up to 3 is committed");
    expect(cluster.storage(1).log.lastLogId).toEqual(logId(1, 3));
  });

  test.each([true, false])(
    "a state that breaks a rule of Raft, by the name of the rule, if checkInvariants is %s",
    async (checkInvariants) => {
      const cluster = new TestCluster([1]);
      const node = await cluster.start(1, { checkInvariants });
      await cluster.run(node.initialize(nodesFor(1)));
      await cluster.waitForLeader();
      // The metrics show the state itself, so that looking costs nothing. Nobody may do this.
      Object.assign(node.metrics().vote, { term: 0 });
      node.raft.trigger.elect();
      await cluster.clock.advance(0);
      expect(node.metrics().state).toBe(checkInvariants ? "stopped" : "leader");
      if (checkInvariants) expect(node.metrics().stopCause?.message).toContain("log term within term: 1 > 0");
    },
  );
});

describe("the end of a node", () => {
  test("waits for the snapshot that is being built", async () => {
    const cluster = new TestCluster([1]);
    const kv = new KeyValueStateMachine();
    const gate = deferred();
    kv.capture = () => ({
      async *chunks() {
        await gate.promise;
        yield utf8("state");
      },
    });
    const node = await cluster.start(1, { storage: new OpenRaftMemStorage(kv) });
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const snapshot = outcomeOf(node.triggerSnapshot());
    await cluster.clock.advance(0);
    const stopped = outcomeOf(node.shutdown());
    await cluster.clock.advance(1000);
    expect([snapshot.errors.length, stopped.values.length]).toEqual([1, 0]);
    gate.resolve();
    await cluster.clock.advance(1000);
    expect(stopped.values).toHaveLength(1);
  });

  test("leaves no timer behind that would wake it", async () => {
    const cluster = new TestCluster([1]);
    const virtual = cluster.clock.runtime(new SeededRandom(1));
    const armed = new Set<object>();
    const runtime: AsyncRuntime = {
      ...virtual,
      setTimer: (delayMs, callback) => {
        const timer = virtual.setTimer(delayMs, () => {
          armed.delete(timer);
          callback();
        });
        armed.add(timer);
        return {
          cancel: () => {
            armed.delete(timer);
            timer.cancel();
          },
        };
      },
    };
    await foundInStorage(cluster.storage(1), 1, 2, 3);
    await cluster.start(1);
    await cluster.stop(1);
    const node = await cluster.start(1, { runtime });
    const waited = outcomeOf(node.raft.wait({ what: "a miracle", holds: () => false }, 60_000));
    // The election, and the wait.
    expect(armed.size).toBe(2);
    await cluster.run(node.shutdown());
    expect(waited.errors).toHaveLength(1);
    expect(armed.size).toBe(0);
  });
});
