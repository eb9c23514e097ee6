import {
  InvalidValueError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  ShutdownError,
  TimeoutError,
  UnknownOutcomeError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { Raft } from "../src/raft.js";
import type { RaftNode } from "../src/raft-node.js";
import { outcomeOf, rejection, settled } from "./support/promises.js";
import type { Outcome } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { logId, nodesFor, setCommand, text } from "./support/values.js";

const IDS = [1, 2, 3] as const;

function command(key: string, value = "1"): { data: Uint8Array } {
  return { data: setCommand(key, value) };
}

/** A leader of three whose followers hear nothing: what it appends is not committed. */
async function cutOff(config = {}): Promise<{ cluster: TestCluster; leader: RaftNode }> {
  const cluster = new TestCluster(IDS, config);
  const leader = await cluster.found();
  await cluster.converge();
  cluster.network.partition([leader.id], cluster.others(leader.id));
  return { cluster, leader };
}

function endings(outcomes: readonly Outcome<unknown>[]): number[] {
  return outcomes.map(({ values, errors }) => values.length + errors.length);
}

describe("a caller with an AbortSignal", () => {
  test("who aborts before the write is on its way: it is certainly not appended, and the reason is the error", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const controller = new AbortController();
    const before = node.metrics().lastLogId;
    const write = outcomeOf(node.clientWrite(command("a"), { signal: controller.signal }));
    const other = outcomeOf(node.clientWrite(command("b")));
    controller.abort();
    await cluster.clock.advance(1000);
    expect(write.errors).toEqual([controller.signal.reason]);
    expect(other.values).toHaveLength(1);
    expect(node.metrics().lastLogId.index).toBe(before.index + 1);
    expect([cluster.get(1, "a"), cluster.get(1, "b")]).toEqual([null, "1"]);
    const late = await rejection(node.propose(setCommand("c", "1"), { signal: controller.signal }));
    expect(late).toBe(controller.signal.reason);
  });

  test("who aborts after it was appended does not know its outcome: here it is applied all the same", async () => {
    const { cluster, leader } = await cutOff();
    const controller = new AbortController();
    const write = outcomeOf(leader.clientWrite(command("a"), { signal: controller.signal }));
    await cluster.clock.advance(10);
    controller.abort(new Error("enough"));
    await settled();
    expect(write.errors).toHaveLength(1);
    expect(write.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    cluster.network.heal();
    await cluster.converge();
    expect(cluster.get(leader.id, "a")).toBe("1");
    expect(endings([write])).toEqual([1]);
  });

  test("who aborts after the answer changes nothing", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const controller = new AbortController();
    const write = outcomeOf(node.clientWrite(command("a"), { signal: controller.signal }));
    await cluster.clock.advance(0);
    controller.abort();
    await cluster.clock.advance(0);
    expect(write.values).toHaveLength(1);
    expect(write.errors).toEqual([]);
  });
});

describe("a write with a timeout", () => {
  test("that is appended and not committed in time ends then, with an unknown outcome", async () => {
    const { cluster, leader } = await cutOff();
    const write = outcomeOf(leader.clientWrite(command("a"), { timeoutMs: 100 }));
    await cluster.clock.advance(99);
    expect(endings([write])).toEqual([0]);
    await cluster.clock.advance(1);
    expect(write.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(write.errors[0]?.cause).toBeInstanceOf(TimeoutError);
    cluster.network.heal();
    await cluster.converge();
    expect(endings([write])).toEqual([1]);
  });

  test("that is answered in time is answered, and leaves no timer", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    await cluster.run(node.clientWrite(command("a"), { timeoutMs: 100 }));
    await cluster.clock.advance(1000);
    expect(cluster.get(1, "a")).toBe("1");
  });
});

describe("a write with a precondition", () => {
  test("is appended while the leader's term and the membership are the expected ones, and refused otherwise", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const { term, membership } = leader.metrics();
    const holds = [{}, { leaderTerm: term }, { membershipLogId: membership.logId }];
    for (const options of [...holds, { leaderTerm: term, membershipLogId: membership.logId }]) {
      await cluster.run(leader.clientWrite(command("a"), options));
    }
    const before = leader.metrics().lastLogId;
    for (const options of [
      { leaderTerm: term + 1 },
      { membershipLogId: logId(1, 1) },
      { leaderTerm: term, membershipLogId: logId(0, 2) },
    ]) {
      const outcome = outcomeOf(leader.clientWrite(command("never"), options));
      await cluster.clock.advance(0);
      expect(outcome.errors[0]).toBeInstanceOf(PreconditionFailedError);
    }
    expect(leader.metrics().lastLogId).toEqual(before);
    expect(cluster.get(leader.id, "never")).toBeNull();
  });

  test("that this term's leader appends it fails with the next one", async () => {
    const cluster = new TestCluster(IDS);
    const leader = await cluster.found();
    const { term } = leader.metrics();
    await cluster.converge();
    cluster.network.partition([leader.id], cluster.others(leader.id));
    const next = await cluster.waitForLeader(cluster.others(leader.id));
    const outcome = outcomeOf(next.clientWrite(command("a"), { leaderTerm: term }));
    await cluster.clock.advance(0);
    expect(outcome.errors[0]).toBeInstanceOf(PreconditionFailedError);
    expect(outcome.errors[0]?.message).toContain(`the leader's term is ${next.metrics().term}`);
  });
});

describe("memory is bounded: writes past a bound are refused at once, and certainly not appended", () => {
  test.each([
    ["requests", { maxPendingRequests: 10 }, 10],
    ["bytes", { maxPendingBytes: 1000 }, 10],
    ["entries", { maxUncommittedEntries: 10 }, 10],
  ])("by %s", async (what, config, room) => {
    const { cluster, leader } = await cutOff(config);
    // Each command is 100 bytes long, and comes in a turn of its own.
    const value = "x".repeat(100 - setCommand("k", "").length);
    const writes: Outcome<unknown>[] = [];
    const before = leader.metrics().lastLogId.index;
    for (let i = 0; i < 30; i++) {
      writes.push(outcomeOf(leader.clientWrite(command("k", value))));
      await cluster.clock.advance(0);
    }
    expect(leader.metrics().lastLogId.index).toBe(before + room);
    expect(endings(writes)).toEqual(writes.map((_, i) => (i < room ? 0 : 1)));
    for (const { errors } of writes.slice(room)) {
      expect(errors[0]).toBeInstanceOf(OverloadedError);
      expect(errors[0]?.message).toContain(`too many ${what} are waiting`);
    }
    // Once they are committed there is room again.
    cluster.network.heal();
    await cluster.converge();
    await cluster.run(leader.clientWrite(command("k", value)));
    expect(endings(writes)).toEqual(writes.map(() => 1));
  });

  test("also when their callers have given up, until it is clear what becomes of them", async () => {
    const { cluster, leader } = await cutOff({ maxPendingRequests: 5 });
    const { signal } = new AbortController();
    const writes = Array.from({ length: 5 }, () =>
      outcomeOf(leader.clientWrite(command("a"), { signal, timeoutMs: 20 })),
    );
    await cluster.clock.advance(50);
    expect(endings(writes)).toEqual([1, 1, 1, 1, 1]);
    const refused = outcomeOf(leader.clientWrite(command("a")));
    await settled();
    expect(refused.errors[0]).toBeInstanceOf(OverloadedError);
    cluster.network.heal();
    await cluster.converge();
    await cluster.run(leader.clientWrite(command("a")));
  });

  test("what the application calls no size is refused by name, and does not spoil the count", async () => {
    const cluster = new TestCluster([1]);
    const storage = cluster.storage(1);
    let size = Number.NaN;
    const raft = await Raft.create({
      id: 1,
      storage,
      stateMachine: storage.stateMachine,
      network: cluster.network.from(1),
      runtime: cluster.clock.runtime({ next: () => 0.5 } as never),
      sizeOf: () => size,
      config: { maxPendingBytes: 10 },
    });
    await cluster.run(raft.initialize(nodesFor(1)));
    for (const options of [undefined, { timeoutMs: 5 }]) {
      const error = await rejection(raft.clientWrite(command("a"), options));
      expect(error).toBeInstanceOf(InvalidValueError);
      expect(error).toMatchObject({ field: "sizeOf(data)" });
    }
    expect(() => raft.submit(command("a"))).toThrow(InvalidValueError);
    size = 6;
    const writes = [raft.clientWrite(command("a")), raft.clientWrite(command("b"))].map((write) =>
      outcomeOf(write),
    );
    await cluster.clock.advance(0);
    expect(writes.map(({ values }) => values.length)).toEqual([1, 0]);
    expect(writes[1]?.errors[0]).toBeInstanceOf(OverloadedError);
    await cluster.run(raft.shutdown());
  });
});

describe("several writes together", () => {
  test("are one append, and one response each, in order", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const { calls } = cluster.storage(1);
    calls.length = 0;
    const answers = await cluster.run(
      node.clientWriteMany([command("a"), { data: new Uint8Array([255]) }, command("b")]),
    );
    expect(calls.filter((call) => call.startsWith("append"))).toEqual(["append 1-3 1-4 1-5"]);
    expect(answers.map((answer) => answer.logId.index)).toEqual([3, 4, 5]);
    expect(answers.map(({ response }) => response.error?.code ?? text(response.result))).toEqual([
      "OK",
      "malformedOperation",
      "OK",
    ]);
  });

  test("none at all are none, also on a node that does not lead", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    expect(await node.clientWriteMany([])).toEqual([]);
  });

  test("are refused as one, by the leader's absence, a bound or a precondition: nothing is appended", async () => {
    const cluster = new TestCluster([1], { maxPendingRequests: 2 });
    const node = await cluster.start(1);
    const three = [command("a"), command("b"), command("c")];
    expect(await rejection(cluster.run(node.clientWriteMany(three.slice(1))))).toBeInstanceOf(NotLeaderError);
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    const before = node.metrics().lastLogId;
    expect(await rejection(node.clientWriteMany(three))).toBeInstanceOf(OverloadedError);
    const expecting = cluster.run(node.clientWriteMany(three.slice(1), { leaderTerm: 9 }));
    expect(await rejection(expecting)).toBeInstanceOf(PreconditionFailedError);
    expect(node.metrics().lastLogId).toEqual(before);
  });

  test("end once, as unknown, when the leader loses its quorum in between", async () => {
    const { cluster, leader } = await cutOff();
    const writes = outcomeOf(leader.clientWriteMany([command("a"), command("b")]));
    await cluster.clock.advance(1000);
    expect(endings([writes])).toEqual([1]);
    expect(writes.errors[0]).toBeInstanceOf(UnknownOutcomeError);
  });

  test("given up in time are all taken back", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const controller = new AbortController();
    const before = node.metrics().lastLogId;
    const writes = outcomeOf(
      node.clientWriteMany([command("a"), command("b")], { signal: controller.signal }),
    );
    controller.abort();
    await cluster.clock.advance(100);
    expect(writes.errors).toEqual([controller.signal.reason]);
    expect(node.metrics().lastLogId).toEqual(before);
  });

  test("what is no array, and a session, are refused by name", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const wrong = node.clientWriteMany("ab" as unknown as { data: Uint8Array }[]);
    expect(await rejection(wrong)).toMatchObject({ field: "data" });
    const session = { sessionId: 3, sequence: 1, answeredBelow: 1 };
    const options = { session } as object;
    expect(await rejection(node.clientWriteMany([command("a")], options))).toMatchObject({
      field: "options.session",
    });
    expect(await rejection(node.openSession(options))).toMatchObject({ field: "options.session" });
  });
});

describe("a write that nobody waits for", () => {
  test("is applied, and its failure is nobody's: neither a refusal nor a stopped node is an error", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.start(1);
    node.submit(command("too early"));
    await cluster.run(node.initialize(nodesFor(1)));
    await cluster.waitForLeader();
    for (let i = 0; i < 100; i++) node.submit(command("a", String(i)));
    await cluster.clock.advance(0);
    expect(cluster.get(1, "a")).toBe("99");
    expect(cluster.get(1, "too early")).toBeNull();
    await cluster.run(node.shutdown());
    node.submit(command("b"));
    await cluster.clock.advance(0);
    expect(await rejection(node.clientWrite(command("b")))).toBeInstanceOf(ShutdownError);
  });

  test("counts against the bounds like any other", async () => {
    const { cluster, leader } = await cutOff({ maxPendingRequests: 50 });
    const before = leader.metrics().lastLogId.index;
    for (let i = 0; i < 1000; i++) leader.submit(command("a"));
    await cluster.clock.advance(0);
    expect(leader.metrics().lastLogId.index).toBe(before + 50);
  });
});

describe("options that are none", () => {
  test("are refused by name, and nothing is appended", async () => {
    const cluster = new TestCluster([1]);
    const node = await cluster.found();
    const before = node.metrics().lastLogId;
    const error = await rejection(node.clientWrite(command("a"), { timeoutMs: -1 }));
    expect(error).toMatchObject({ field: "options.timeoutMs" });
    expect(await rejection(node.openSession({ expiresAfter: 0 }))).toMatchObject({
      field: "options.expiresAfter",
    });
    await cluster.clock.advance(10);
    expect(node.metrics().lastLogId).toEqual(before);
  });
});
