import {
  InvalidValueError,
  NotLeaderError,
  OverloadedError,
  QuorumNotEnoughError,
  ShutdownError,
  TimeoutError,
  UnknownOutcomeError,
} from "@seshat/common";
import type { NodeId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { Ledger, startLoad } from "../../test/support/ledger.js";
import { startLedgers } from "../../test/support/virtual-cluster.js";
import type { Cluster } from "./cluster.js";
import { startCluster } from "./cluster.js";

type LedgerCluster = Cluster<number, number, Ledger>;

function others(cluster: LedgerCluster, id: NodeId): NodeId[] {
  return cluster.ids.filter((other) => other !== id);
}

/** Everything that was applied, read through the leader. */
function readAll(cluster: LedgerCluster): Promise<number[]> {
  return cluster.read((ledger) => [...ledger.applied]);
}

/** True for the refusals after which nothing was done, now or later. */
function isCertain(error: Error): boolean {
  return (
    error instanceof TimeoutError || error instanceof NotLeaderError || error instanceof QuorumNotEnoughError
  );
}

describe("a write", () => {
  test("waits for an election, and answers with its response and its place in the log", async () => {
    const { cluster, settle, leader } = await startLedgers();
    await settle(cluster.kill(await leader()));
    expect(cluster.running().some((node) => node.isLeader())).toBe(false);
    const written = await settle(cluster.write(7));
    expect(written.response).toBe(1);
    expect(written.logId.term).toBeGreaterThan(1);
  });

  test("while the leader is cut off goes to the one that the others elect, and takes effect once", async () => {
    const { cluster, settle, leader, clock } = await startLedgers();
    await settle(cluster.write(1));
    const old = await leader();
    cluster.network.partition([old], others(cluster, old));
    const { response, logId } = await settle(cluster.write(2));
    expect(response).toBe(2);
    expect(await leader()).not.toBe(old);
    cluster.network.heal();
    await clock.runUntil(
      "all to be equal",
      () => cluster.ids.every((id) => cluster.stateMachine(id).applied.length === 2),
      5000,
    );
    expect(await settle(readAll(cluster))).toEqual([1, 2]);
    expect(cluster.metrics(old)?.term).toBeGreaterThanOrEqual(logId.term);
  });

  test("that was committed, while its answer never came, is not applied again when it is sent again", async () => {
    const { cluster, settle, leader } = await startLedgers();
    await settle(cluster.write(1));
    const old = await leader();
    // The followers get the entry and their answers are lost: only the next leader learns that it is committed.
    for (const id of others(cluster, old)) cluster.network.cut(id, old);
    const { response } = await settle(cluster.write(2));
    expect(response).toBe(2);
    cluster.network.heal();
    expect(await settle(readAll(cluster))).toEqual([1, 2]);
    expect(await settle(cluster.write(3))).toMatchObject({ response: 3 });
  });

  test("in a minority ends with an error of its own in bounded time, and tells whether it may still happen", async () => {
    const timeoutMs = 3000;
    const { cluster, clock, failure, leader, settle } = await startLedgers({ timeoutMs });
    await settle(cluster.write(1));
    await leader();
    cluster.network.partition([1], [2], [3]);
    const began = clock.now;
    const inLog = await failure(cluster.write(2), timeoutMs);
    expect(inLog).toBeInstanceOf(UnknownOutcomeError);
    expect(clock.now - began).toBeLessThanOrEqual(timeoutMs);

    // By now nobody leads, so this one is certainly in no log.
    const again = clock.now;
    const error = await failure(cluster.write(3), timeoutMs);
    expect(isCertain(error)).toBe(true);
    expect(clock.now - again).toBeLessThanOrEqual(timeoutMs);
    const read = await failure(readAll(cluster), timeoutMs);
    expect(isCertain(read)).toBe(true);

    cluster.network.heal();
    expect(await settle(cluster.write(4))).toBeDefined();
    const applied = await settle(readAll(cluster));
    expect(applied.filter((command) => command !== 2)).toEqual([1, 4]);
  });

  test("with a time of its own ends within it, however long others may take", async () => {
    const { cluster, clock, failure } = await startLedgers({ nodes: 2 });
    await clock.runUntilSettled(cluster.kill(2), 1000);
    const began = clock.now;
    expect(await failure(cluster.write(1, 5), 5)).toBeInstanceOf(TimeoutError);
    expect(clock.now - began).toBe(5);
    for (const bad of [0, 1.5, 2 ** 31]) {
      await expect(cluster.write(1, bad)).rejects.toMatchObject({ code: "invalidValue", field: "timeoutMs" });
    }
  });

  test("whose session expired in the meantime opens another, and takes effect once", async () => {
    const { cluster, settle, leader } = await startLedgers();
    await settle(cluster.write(1));
    const node = cluster.node(await leader());
    if (node === null) throw new Error("the leader is down");
    // Room is kept for so many sessions: the one that was not used for longest makes place for the last.
    for (let round = 0; round < 16; round += 1) {
      await settle(Promise.all(Array.from({ length: 1024 }, () => node.openSession())));
    }
    expect(await settle(cluster.write(2))).toMatchObject({ response: 2 });
    expect(await settle(Promise.all([cluster.write(3), cluster.write(4)]))).toHaveLength(2);
    expect((await settle(readAll(cluster))).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });
});

describe("a read", () => {
  test("from a follower sees every write that was answered before", async () => {
    const { cluster, settle, leader } = await startLedgers();
    const [follower] = others(cluster, await leader()) as [NodeId];
    for (let i = 1; i <= 20; i += 1) {
      await settle(cluster.write(i));
      expect(await settle(cluster.read(({ applied }) => applied.length, follower))).toBe(i);
    }
  });

  test("from a follower that is cut off fails in bounded time, and others go on", async () => {
    const timeoutMs = 2000;
    const { cluster, clock, settle, failure, leader } = await startLedgers({ timeoutMs });
    await settle(cluster.write(1));
    const lead = await leader();
    const [follower, ...rest] = others(cluster, lead) as [NodeId, NodeId];
    cluster.network.partition([follower], [lead, ...rest]);
    const began = clock.now;
    expect(
      isCertain(
        await failure(
          cluster.read(() => 0, follower),
          timeoutMs,
        ),
      ),
    ).toBe(true);
    expect(clock.now - began).toBeLessThanOrEqual(timeoutMs);
    expect(await settle(readAll(cluster))).toEqual([1]);
  });

  test("that waits for entries which do not come any more fails in bounded time", async () => {
    const timeoutMs = 2000;
    const { cluster, clock, settle, failure, leader } = await startLedgers({ timeoutMs });
    await settle(cluster.write(1));
    const lead = await leader();
    const [follower] = others(cluster, lead) as [NodeId];
    const node = cluster.node(follower);
    if (node === null) throw new Error("the follower is down");
    // It is told an index that it has not reached, and nothing more: what a cut right after the answer does.
    node.ensureLinearizable = () => new Promise(() => undefined);
    const began = clock.now;
    expect(
      await failure(
        cluster.read(() => 0, follower),
        timeoutMs,
      ),
    ).toBeInstanceOf(TimeoutError);
    expect(clock.now - began).toBeLessThanOrEqual(timeoutMs);
  });

  test("from a killed node waits for it, and fails when it does not come", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 2000 });
    await settle(cluster.write(1));
    await settle(cluster.kill(2));
    expect((await failure(cluster.read(() => 0, 2))).message).toBe(
      "the start of node 2 did not happen within 2000 ms",
    );
    const read = cluster.read(({ applied }) => applied, 2);
    await settle(cluster.restart(2));
    expect(await settle(read)).toEqual([1]);
  });

  test("from a node that does not exist is refused at once", async () => {
    const { cluster } = await startLedgers();
    await expect(cluster.read(() => 0, 4)).rejects.toThrow("node is 4, but it must be one of 1, 2, 3");
  });

  test("that throws fails with what it threw", async () => {
    const { cluster, failure } = await startLedgers();
    const thrown = new RangeError("no such page");
    const read = cluster.read(() => {
      throw thrown;
    });
    expect(await failure(read)).toBe(thrown);
  });
});

describe("nodes that come and go", () => {
  test("each killed and started in turn, under load: nothing acknowledged is lost, nothing is applied twice", async () => {
    const { cluster, clock, random, settle } = await startLedgers({ nodes: 5, timeoutMs: 60_000, seed: 5 });
    const load = startLoad(6, (command) => cluster.write(command));
    const { acknowledged } = load;
    for (let round = 0; round < 2; round += 1) {
      for (const id of cluster.ids) {
        // Two at a time: the most of five that may be down.
        const also = (id % 5) + 1;
        const before = acknowledged.length;
        await settle(Promise.all([cluster.kill(id), cluster.kill(also)]));
        expect([cluster.node(id), cluster.metrics(also)]).toEqual([null, null]);
        expect(cluster.running()).toHaveLength(3);
        await clock.runUntil("writes that go on", () => acknowledged.length > before, 10_000);
        await clock.advance(random.integer(1, 50));
        await settle(Promise.all([cluster.restart(id), cluster.restart(also)]));
      }
    }
    await settle(load.stop());
    const applied = await settle(readAll(cluster));
    expect(applied.length).toBeGreaterThan(100);
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied.toSorted((a, b) => a - b)).toEqual(acknowledged.toSorted((a, b) => a - b));
    const isEqual = (id: NodeId): boolean => cluster.stateMachine(id).applied.length === applied.length;
    await clock.runUntil("all to be equal", () => cluster.ids.every(isEqual), 5000);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).applied).toEqual(applied);
    await settle(cluster.shutdown());
  });

  test("five nodes go on without two, and not without three", async () => {
    const { cluster, settle, failure } = await startLedgers({ nodes: 5, timeoutMs: 2000 });
    expect(cluster.ids).toEqual([1, 2, 3, 4, 5]);
    await settle(cluster.write(1));
    await settle(Promise.all([cluster.kill(1), cluster.kill(2)]));
    await settle(cluster.write(2));
    await settle(cluster.kill(3));
    await failure(cluster.write(3), 2000);
    await settle(cluster.restart(2));
    await settle(cluster.write(4));
    const applied = await settle(readAll(cluster));
    expect(applied.filter((command) => command !== 3)).toEqual([1, 2, 4]);
  });

  test("of two starts at once and a kill before they are done, only the last counts, and storage is never shared", async () => {
    const { cluster, settle } = await startLedgers();
    await settle(cluster.write(1));
    const first = cluster.node(2);
    await settle(Promise.all([cluster.kill(2), cluster.restart(2), cluster.restart(2)]));
    const second = cluster.node(2);
    expect(second).not.toBe(first);
    expect(first?.metrics().state).toBe("stopped");
    expect(cluster.running()).toHaveLength(3);
    await settle(Promise.all([cluster.restart(2), cluster.kill(2)]));
    expect(cluster.node(2)).toBeNull();
    expect(second?.metrics().state).toBe("stopped");
    expect(await settle(cluster.write(2))).toMatchObject({ response: 2 });
  });

  test("a node that does not exist is named", async () => {
    const { cluster } = await startLedgers({ nodes: 1 });
    const calls = [() => cluster.kill(2), () => cluster.restart(0), () => Promise.resolve(cluster.node(2))];
    for (const call of calls) {
      await expect((async () => call())()).rejects.toMatchObject({ code: "invalidValue", field: "node" });
    }
  });
});

describe("too many calls", () => {
  test("past what the nodes take wait and try again, and all of them succeed", async () => {
    const { cluster, settle } = await startLedgers({
      config: { maxPendingRequests: 8, maxUncommittedEntries: 4 },
    });
    const writes = Array.from({ length: 100 }, (_, i) => cluster.write(i + 1));
    await settle(Promise.all(writes));
    const applied = await settle(readAll(cluster));
    expect(applied.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test("past what the client takes are refused at once, and the others settle", async () => {
    const { cluster, settle, failure } = await startLedgers({ timeoutMs: 20_000 });
    const limit = 512 + 16_384;
    const writes = Promise.all(Array.from({ length: limit }, (_, i) => cluster.write(i + 1)));
    const error = await failure(cluster.write(limit + 1), 0);
    expect(error).toBeInstanceOf(OverloadedError);
    expect(error.message).toContain(`${limit}`);
    expect(await settle(writes)).toHaveLength(limit);
    expect(await settle(cluster.read(({ applied }) => applied.length))).toBe(limit);
  });
});

describe("a shutdown", () => {
  test("with calls in flight settles all of them before it is done, each with an error that says what is known", async () => {
    const { cluster, settle, leader, clock } = await startLedgers();
    await settle(cluster.write(1));
    await leader();
    cluster.network.partition([1], [2], [3]);
    const outcomes: string[] = [];
    const note = (call: Promise<unknown>): void => {
      call.then(
        () => outcomes.push("done"),
        (error: unknown) => outcomes.push((error as Error).constructor.name),
      );
    };
    // More than may be under way at once.
    for (let i = 0; i < 600; i += 1) note(cluster.write(i + 2));
    await clock.advance(20);
    note(cluster.read(() => 0));
    note(cluster.read(() => 0, 2));
    await clock.advance(1);
    expect(outcomes).toEqual([]);
    await settle(cluster.shutdown(), 0);
    await clock.advance(0);
    expect(outcomes).toHaveLength(602);
    const count = (name: string): number => outcomes.filter((outcome) => outcome === name).length;
    expect(count("UnknownOutcomeError")).toBe(512);
    expect(count("ShutdownError")).toBe(90);
  });

  test("refuses later calls at once, and can be repeated", async () => {
    const { cluster, settle, failure } = await startLedgers();
    await settle(cluster.write(1));
    await settle(cluster.shutdown());
    await settle(cluster.shutdown());
    expect(await failure(cluster.write(2), 0)).toBeInstanceOf(ShutdownError);
    expect(await failure(readAll(cluster), 0)).toBeInstanceOf(ShutdownError);
    expect(await failure(cluster.restart(1), 0)).toBeInstanceOf(ShutdownError);
    expect(cluster.running()).toEqual([]);
  });

  test("leaves no timer behind", async () => {
    const { cluster, settle, clock } = await startLedgers();
    await settle(cluster.write(1));
    cluster.network.partition([1], [2], [3]);
    const writes = Array.from({ length: 20 }, (_, i) => cluster.write(i).catch(() => undefined));
    await clock.advance(1500);
    await settle(cluster.shutdown(), 0);
    await settle(Promise.all(writes), 0);
    await expect(clock.runUntil("anything", () => false, 0)).rejects.toThrow("did not happen");
  });
});

describe("the options", () => {
  const stateMachine = (): Ledger => new Ledger();

  test.each<[string, object]>([
    ["options.nodes", { nodes: 0 }],
    ["options.nodes", { nodes: 10 }],
    ["options.nodes", { nodes: 2.5 }],
    ["options.nodes", { nodes: "3" }],
    ["options.timeoutMs", { timeoutMs: 0 }],
    ["options.timeoutMs", { timeoutMs: 2 ** 31 }],
    ["options.timeoutMs", { timeoutMs: Number.NaN }],
    ["options.node", { node: 3 }],
    ["options.stateMachine", { stateMachine: new Ledger() }],
    [
      "options.stateMachine().responseCodec",
      { stateMachine: () => Object.assign(new Ledger(), { responseCodec: undefined }) },
    ],
    ["config.heartbeatIntervalMs", { config: { heartbeatIntervalMs: -1 } }],
  ])("%s is refused by name when it cannot be used (%j)", async (field, options) => {
    const starting = startCluster({ stateMachine, ...options });
    await expect(starting).rejects.toBeInstanceOf(InvalidValueError);
    await expect(starting).rejects.toMatchObject({ field });
  });

  test("when the last state machine cannot be made, the nodes before it are stopped", async () => {
    const made: NodeId[] = [];
    const starting = startCluster({
      nodes: 3,
      stateMachine: (id) => {
        made.push(id);
        if (id === 3) throw new RangeError("no room");
        return new Ledger();
      },
      logger: { log: () => undefined },
    });
    await expect(starting).rejects.toThrow("no room");
    expect(made).toEqual([1, 2, 3]);
  });

  test("from one to nine nodes make a cluster", async () => {
    for (const nodes of [1, 2, 9]) {
      const { cluster, settle } = await startLedgers({ nodes });
      expect(await settle(cluster.write(5))).toMatchObject({ response: 1 });
      expect(cluster.ids).toHaveLength(nodes);
      await settle(cluster.shutdown());
    }
  });
});
