import { NotLeaderError, ShutdownError } from "@seshat/common";
import {
  KeyValueStateMachine,
  OpenRaftMemStorage,
  OpenRaftStateMachine,
  encodeOperation,
} from "@seshat/storage";
import { describe, expect, test } from "vitest";
import * as doors from "../src/index.js";
import { RaftNode } from "../src/raft-node.js";
import { Raft } from "../src/raft.js";
import { rejection } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, setEntry, text, utf8 } from "./support/values.js";

// What the design that this project began with says about the node, statement by statement.

describe("RaftNode", () => {
  test("is a wrapper over Raft and the in-memory storage", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    expect(node).toBeInstanceOf(RaftNode);
    expect(node.raft).toBeInstanceOf(Raft);
    expect(node.storage).toBe(cluster.storage(1));
    expect(node.storage).toBeInstanceOf(OpenRaftMemStorage);
    expect(node.id).toBe(1);
  });

  test("propose(data) replicates a command given as bytes, and answers when it is applied", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const response = await cluster.run(node.propose(setCommand("colour", "blue")));
    expect(text(response.result)).toBe("OK");
    expect(cluster.get(1, "colour")).toBe("blue");
  });

  test("propose(data) copies the bytes: whoever uses the buffer again changes no log", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const data = Buffer.from(setCommand("colour", "blue"));
    const proposing = node.propose(data);
    data.fill(0);
    expect(text((await cluster.run(proposing)).result)).toBe("OK");
    expect(cluster.get(1, "colour")).toBe("blue");
  });

  test("clientWrite(request) does the same, and says where in the log the command stands", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const { lastLogId, term } = node.metrics();
    const written = await cluster.run(node.clientWrite({ data: setCommand("colour", "green") }));
    expect(written.logId).toEqual(logId(term, lastLogId.index + 1));
    expect(written.response).toEqual({ result: utf8("OK"), error: null });
  });

  test("isLeader() is true on the leader of a single-node cluster, and on nobody before there is one", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    expect([node.isLeader(), node.leaderId()]).toEqual([false, null]);
    await cluster.run(node.initialize(nodesFor(1)));
    expect(await cluster.run(node.waitForLeader())).toBe(1);
    expect([node.isLeader(), node.leaderId()]).toEqual([true, 1]);
  });

  test("a single-node cluster is functional: writes are applied in order, and reads are linearizable", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.run(
      Promise.all(Array.from({ length: 50 }, (_, i) => node.propose(setCommand("counter", String(i))))),
    );
    const readAt = await cluster.run(node.ensureLinearizable());
    expect(readAt.index).toBeLessThanOrEqual(node.metrics().lastApplied.index);
    expect(cluster.get(1, "counter")).toBe("49");
  });

  test("operations are Set and Del", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.set(node, "a", "1");
    const deleted = await cluster.run(
      node.propose(encodeOperation({ type: "del", keys: [utf8("a"), utf8("b")] })),
    );
    expect(text(deleted.result)).toBe("1");
    expect(cluster.get(1, "a")).toBeNull();
  });

  test("metrics() says what the node knows of itself", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.set(node, "a", "1");
    const { term } = node.metrics();
    expect(node.metrics()).toMatchObject({
      id: 1,
      state: "leader",
      term,
      vote: { term, votedFor: 1, committed: true },
      currentLeader: 1,
      lastLogId: logId(term, 3),
      committed: logId(term, 3),
      lastApplied: logId(term, 3),
      membership: { logId: logId(0, 1), membership: { configs: [[1]] } },
      stopCause: null,
    });
  });

  test("shutdown() ends it: later calls are refused, and asking for metrics still works", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.run(node.shutdown());
    await cluster.run(node.shutdown());
    expect(await rejection(node.propose(utf8("x")))).toBeInstanceOf(ShutdownError);
    expect(await rejection(node.ensureLinearizable())).toBeInstanceOf(ShutdownError);
    expect(await rejection(node.initialize(nodesFor(1)))).toBeInstanceOf(ShutdownError);
    expect(await rejection(node.triggerSnapshot())).toBeInstanceOf(ShutdownError);
    expect(await rejection(node.waitForLeader())).toBeInstanceOf(ShutdownError);
    expect(node.metrics()).toMatchObject({ state: "stopped", currentLeader: null, stopCause: null });
    expect(node.isLeader()).toBe(false);
  });

  test("it can be left to `await using`", async () => {
    const cluster = new TestCluster([1]);
    let left: RaftNode;
    {
      await using node = await cluster.start(1);
      left = node;
    }
    expect(left.metrics().state).toBe("stopped");
  });

  test("tick() and handle_ready() are gone: nothing has to be called for the node to go on", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    for (const door of [node, node.raft, doors]) {
      expect(Reflect.has(door, "tick")).toBe(false);
      expect(Reflect.has(door, "handleReady")).toBe(false);
    }
    await cluster.set(node, "a", "1");
    expect(node.metrics().lastApplied).toEqual(node.metrics().lastLogId);
  });

  test("the state machine can be read directly, and applies each entry once however often it is replayed", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.set(node, "a", "1");
    const { stateMachine } = node.storage;
    expect(stateMachine).toBeInstanceOf(OpenRaftStateMachine);
    expect(stateMachine.inner).toBeInstanceOf(KeyValueStateMachine);
    const { index, term } = node.metrics().lastApplied;
    expect(stateMachine.apply([setEntry(term, index, "a", "replayed")])).toEqual([undefined]);
    expect(cluster.get(1, "a")).toBe("1");
  });

  test("a command that makes no sense is an answer, and never a dead node", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const response = await cluster.run(node.propose(utf8("not an operation")));
    expect(response.error?.code).toBe("malformedOperation");
    await cluster.set(node, "a", "1");
    expect(cluster.get(1, "a")).toBe("1");
  });

  test("everything stays in memory: a node over another storage object knows nothing", async () => {
    const cluster = new TestCluster([1]);
    await cluster.set(await cluster.found(), "a", "1");
    await cluster.stop(1);
    const other = await cluster.start(1, { storage: new OpenRaftMemStorage(new KeyValueStateMachine()) });
    expect(other.metrics()).toMatchObject({ term: 0, lastLogId: logId(0, 0), state: "learner" });
  });

  test("a node that nobody initialized waits, and says that it does not lead", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    await cluster.clock.advance(60_000);
    expect(node.metrics()).toMatchObject({ term: 0, state: "learner", currentLeader: null });
    const error = await rejection(cluster.run(node.propose(setCommand("a", "1"))));
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ leaderId: null });
  });
});
