import type { BytesTypeConfig, RpcResponse, VoteResponse } from "@seshat/common";
import { InvalidValueError, UnreachableError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { addressed } from "../../test/support/addressed.js";
import { outcomeOf, settled } from "../../test/support/promises.js";
import { logId } from "../../test/support/values.js";
import type { Raft } from "../raft.js";
import type { NetworkFaults } from "./in-process-network.js";
import { InProcessNetwork } from "./in-process-network.js";
import { SeededRandom } from "./seeded-random.js";
import { VirtualClock } from "./virtual-clock.js";

const REQUEST = { term: 1, candidateId: 1, lastLogId: logId(0, 0), transfer: false };
const NODE = { addr: "in-process" };

/** Three nodes that grant every vote and note who asked when. */
function setUp(seed = 1) {
  const clock = new VirtualClock();
  const network = new InProcessNetwork<BytesTypeConfig>(clock.runtime(new SeededRandom(seed)));
  const received: string[] = [];
  const requests: unknown[] = [];
  const node = (
    id: number,
    answer: () => Promise<RpcResponse<VoteResponse>> = () =>
      Promise.resolve({ term: id, granted: true, header: { from: id, incarnation: id } }),
  ): Raft<BytesTypeConfig> => {
    const take =
      (rpc: string) =>
      (request: unknown): Promise<RpcResponse<VoteResponse>> => {
        received.push(`${clock.now} ${rpc} at ${id}`);
        requests.push(request);
        return answer();
      };
    return {
      id,
      vote: take("vote"),
      preVote: take("preVote"),
      appendEntries: take("appendEntries"),
      installSnapshot: take("installSnapshot"),
      timeoutNow: take("timeoutNow"),
      readIndex: take("readIndex"),
    } as unknown as Raft<BytesTypeConfig>;
  };
  for (const id of [1, 2, 3]) network.join(node(id));
  const vote = (from: number, to: number) =>
    outcomeOf(
      network
        .from(from)
        .connect(to, NODE)
        .vote(addressed(from, to, REQUEST)),
    );
  return { clock, network, received, requests, node, vote };
}

describe("a network within one process", () => {
  test("brings each request to the node addressed, and its answer back", async () => {
    const { network, received, requests } = setUp();
    const connection = network.from(1).connect(2, NODE);
    const vote = addressed(1, 2, REQUEST);
    expect(await connection.vote(vote)).toEqual({
      term: 2,
      granted: true,
      header: { from: 2, incarnation: 2 },
    });
    await connection.preVote(vote);
    const append = addressed(1, 2, {
      term: 1,
      leaderId: 1,
      prevLogId: logId(0, 0),
      entries: [],
      leaderCommit: 0,
    });
    await connection.appendEntries(append);
    const snapshot = addressed(1, 2, { data: new Uint8Array(3) }) as never;
    await connection.installSnapshot(snapshot);
    const timeoutNow = addressed(1, 2, { term: 1, leaderId: 1, lastLogId: logId(0, 0) });
    await connection.timeoutNow(timeoutNow);
    const readIndex = addressed(1, 2, { lease: false });
    await connection.readIndex(readIndex);
    expect(received).toEqual(
      ["vote", "preVote", "appendEntries", "installSnapshot", "timeoutNow", "readIndex"].map(
        (rpc) => `0 ${rpc} at 2`,
      ),
    );
    // Header and all.
    expect(requests).toEqual([vote, vote, append, snapshot, timeoutNow, readIndex]);
  });

  test("never hands a message over within the sender's turn", async () => {
    const { vote, received } = setUp();
    const outcome = vote(1, 2);
    expect(received).toEqual([]);
    await settled();
    expect(outcome.values).toHaveLength(1);
  });

  test("a request and its answer each take their own time on the way", async () => {
    const { clock, network, vote, received } = setUp();
    network.setFaults({ minLatencyMs: 10, maxLatencyMs: 10 });
    const outcome = vote(1, 2);
    await clock.advance(9);
    expect(received).toEqual([]);
    await clock.advance(10);
    expect(received).toEqual(["10 vote at 2"]);
    expect(outcome.values).toHaveLength(0);
    await clock.advance(1);
    expect(outcome.values).toHaveLength(1);
  });

  test("latencies differ, so messages overtake each other, and all stay within their bounds", async () => {
    const { clock, network, vote, received } = setUp();
    network.setFaults({ minLatencyMs: 5, maxLatencyMs: 25 });
    for (let i = 0; i < 50; i++) vote(1, 2);
    await clock.advance(100);
    const times = received.map((line) => Number(line.split(" ")[0]));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...times)).toBeLessThanOrEqual(25);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  test("an error of the addressed node is its answer", async () => {
    const { network, node, vote } = setUp();
    network.join(node(2, () => Promise.reject(new Error("shut down"))));
    const outcome = vote(1, 2);
    await settled();
    expect(outcome.errors).toMatchObject([{ message: "shut down" }]);
  });

  test("a node that does not run is unreachable, until it joins again", async () => {
    const { network, node, vote } = setUp();
    network.leave(2);
    const refused = vote(1, 2);
    await settled();
    expect(refused.errors[0]).toBeInstanceOf(UnreachableError);
    expect(refused.errors[0]).toMatchObject({ target: 2 });
    network.join(node(2));
    const answered = vote(1, 2);
    await settled();
    expect(answered.values).toHaveLength(1);
  });

  test("a closed connection takes nothing more", async () => {
    const { network, received } = setUp();
    const connection = network.from(1).connect(2, NODE);
    connection.close();
    await expect(connection.vote(addressed(1, 2, REQUEST))).rejects.toBeInstanceOf(UnreachableError);
    expect(received).toEqual([]);
  });
});

describe("faults", () => {
  test("a link is cut one way: requests arrive, answers do not, and nobody is told", async () => {
    const { network, vote, received } = setUp();
    network.cut(2, 1);
    const [there, back] = [vote(1, 2), vote(2, 1)];
    await settled();
    expect(received).toEqual(["0 vote at 2"]);
    expect(there).toEqual({ values: [], errors: [] });
    expect(back).toEqual({ values: [], errors: [] });
  });

  test("a partition cuts every link between groups, both ways, and none within", async () => {
    const { network, node, vote, received } = setUp();
    network.join(node(4));
    network.partition([1, 2], [3]);
    for (const [from, to] of [
      [1, 2],
      [2, 1],
      [1, 3],
      [3, 1],
      [2, 3],
      [3, 2],
      [4, 1],
      [3, 4],
    ] as const)
      vote(from, to);
    await settled();
    expect(received).toEqual(["0 vote at 2", "0 vote at 1", "0 vote at 1", "0 vote at 4"]);
  });

  test("healing mends every link; what was lost stays lost", async () => {
    const { network, vote } = setUp();
    network.partition([1], [2], [3]);
    const lost = vote(1, 2);
    await settled();
    network.heal();
    const answered = vote(1, 2);
    await settled();
    expect([lost.values.length, answered.values.length]).toEqual([0, 1]);
  });

  test("the link counts as it is when the message arrives", async () => {
    const { clock, network, vote, received } = setUp();
    network.setFaults({ minLatencyMs: 10, maxLatencyMs: 10 });
    vote(1, 2);
    await clock.advance(5);
    network.cut(1, 2);
    await clock.advance(50);
    expect(received).toEqual([]);
  });

  test("messages are lost at the rate asked for, requests and answers alike", async () => {
    const { network, vote, received } = setUp();
    network.setFaults({ lossRate: 0.5 });
    const outcomes = Array.from({ length: 1000 }, () => vote(1, 2));
    await settled();
    const answered = outcomes.filter(({ values }) => values.length === 1).length;
    expect(Math.abs(received.length - 500)).toBeLessThan(80);
    expect(Math.abs(answered - 250)).toBeLessThan(80);
  });

  test("at a rate of 1 nothing arrives, and setting nothing ends all faults", async () => {
    const { network, vote, received } = setUp();
    network.setFaults({ lossRate: 1, maxLatencyMs: 5 });
    vote(1, 2);
    await settled();
    network.setFaults({});
    vote(1, 2);
    await settled();
    expect(received).toEqual(["0 vote at 2"]);
  });

  test("the same seed loses and delays the same messages", async () => {
    const run = async (seed: number): Promise<string[]> => {
      const { clock, network, vote, received } = setUp(seed);
      network.setFaults({ lossRate: 0.3, maxLatencyMs: 50 });
      for (let i = 0; i < 30; i++) vote(1 + (i % 3), 1 + ((i + 1) % 3));
      await clock.advance(200);
      return received;
    };
    expect(await run(7)).toEqual(await run(7));
    expect(await run(7)).not.toEqual(await run(8));
  });

  test.each<[Partial<NetworkFaults>, string]>([
    [{ minLatencyMs: -1 }, "minLatencyMs"],
    [{ minLatencyMs: Number.NaN }, "minLatencyMs"],
    [{ minLatencyMs: 5, maxLatencyMs: 4 }, "maxLatencyMs"],
    [{ maxLatencyMs: Number.NaN }, "maxLatencyMs"],
    [{ lossRate: -0.1 }, "lossRate"],
    [{ lossRate: 1.1 }, "lossRate"],
    [{ lossRate: Number.NaN }, "lossRate"],
  ])("%j is refused by its field, and changes nothing", async (faults, field) => {
    const { network, vote } = setUp();
    expect(() => network.setFaults(faults)).toThrow(InvalidValueError);
    expect(() => network.setFaults(faults)).toThrow(new RegExp(`^${field} is `));
    const outcome = vote(1, 2);
    await settled();
    expect(outcome.values).toHaveLength(1);
  });
});
