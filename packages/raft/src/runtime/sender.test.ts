import type { AppendEntriesRequest, BytesTypeConfig, LogEntry, Request } from "@seshat/common";
import type { MaybePromise, RaftLogReader } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../test/support/instruments.js";
import { deferred, settled } from "../../test/support/promises.js";
import type { Deferred } from "../../test/support/promises.js";
import { blanks, logId } from "../../test/support/values.js";
import type { SendAppendEntriesCommand, SendVoteCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { Sender } from "./sender.js";

type Entries = readonly LogEntry<Request>[];

const VOTE: SendVoteCommand = {
  type: "sendVote",
  to: 2,
  request: { term: 3, candidateId: 1, lastLogId: logId(2, 5) },
  afterIo: 1,
};
const APPEND: SendAppendEntriesCommand = {
  type: "sendAppendEntries",
  to: 2,
  seq: 9,
  term: 3,
  prevLogId: logId(2, 5),
  upto: 7,
  leaderCommit: 4,
};
const SUCCESS = { type: "success", term: 3, matchIndex: 7 } as const;

function setUp() {
  const clock = new VirtualClock();
  const logger = new RecordingLogger();
  const events: Event[] = [];
  const calls: { rpc: string; request: unknown; answer: Deferred<unknown> }[] = [];
  const connections: { target: number; node: unknown; closed: number }[] = [];
  const world = {
    clock,
    logger,
    events,
    calls,
    connections,
    leads: true,
    members: new Map<number, unknown>([
      [2, { addr: "two" }],
      [3, { addr: "three" }],
    ]),
    read: (since: number, upto: number): MaybePromise<Entries> => blanks(3, since, upto),
    /** Set to make every call throw before it answers a promise. */
    broken: null as Error | null,
  };
  const call =
    (rpc: string) =>
    (request: unknown): Promise<never> => {
      if (world.broken !== null) throw world.broken;
      const answer = deferred<unknown>();
      calls.push({ rpc, request, answer });
      return answer.promise as Promise<never>;
    };
  const sender = new Sender<BytesTypeConfig>({
    id: 1,
    network: {
      connect: (target, node) => {
        const connection = { target, node, closed: 0 };
        connections.push(connection);
        return {
          preVote: call("preVote"),
          vote: call("vote"),
          appendEntries: call("appendEntries"),
          close: () => {
            connection.closed += 1;
          },
        };
      },
    },
    reader: {
      readEntries: (since: number, upto: number) => world.read(since, upto),
    } as unknown as RaftLogReader<BytesTypeConfig>,
    cache: new LogCache(10),
    runtime: clock.runtime(new SeededRandom(1)),
    instruments: new Instruments(1, logger, null),
    rpcTimeoutMs: 150,
    describe: (id) => world.members.get(id) as { addr: string } | undefined,
    leads: (term) => world.leads && term === 3,
    emit: (event) => void events.push(event),
  });
  return { sender, world, ...world };
}

const FAILED: Event = { type: "appendEntriesFailed", from: 2, requestTerm: 3, seq: 9 };

describe("requests and their answers", () => {
  test("a vote request brings its answer back, with the term it was asked in", async () => {
    const { sender, calls, events } = setUp();
    sender.vote(VOTE);
    sender.preVote({ type: "sendPreVote", to: 2, request: VOTE.request });
    expect(calls.map(({ rpc, request }) => [rpc, request])).toEqual([
      ["vote", VOTE.request],
      ["preVote", VOTE.request],
    ]);
    calls[0]?.answer.resolve({ term: 3, granted: true });
    calls[1]?.answer.resolve({ term: 2, granted: false });
    await settled();
    expect(events).toEqual([
      { type: "voteResponse", from: 2, requestTerm: 3, response: { term: 3, granted: true } },
      { type: "preVoteResponse", from: 2, requestTerm: 3, response: { term: 2, granted: false } },
    ]);
  });

  test("entries are sent with the one before them, and the answer names the request", async () => {
    const { sender, calls, events } = setUp();
    sender.appendEntries(APPEND);
    expect(calls[0]?.request).toEqual({
      term: 3,
      leaderId: 1,
      prevLogId: logId(2, 5),
      entries: blanks(3, 6, 7),
      leaderCommit: 4,
    } satisfies AppendEntriesRequest);
    calls[0]?.answer.resolve(SUCCESS);
    await settled();
    expect(events).toEqual([
      { type: "appendEntriesResponse", from: 2, requestTerm: 3, seq: 9, response: SUCCESS },
    ]);
  });

  test("a heartbeat reads nothing", () => {
    const { sender, world, calls } = setUp();
    world.read = () => expect.unreachable();
    sender.appendEntries({ ...APPEND, upto: 5 });
    expect(calls[0]?.request).toMatchObject({ entries: [] });
  });

  test("one connection serves all requests to a peer, and is made with what the membership says of it", () => {
    const { sender, connections } = setUp();
    sender.vote(VOTE);
    sender.vote(VOTE);
    sender.vote({ ...VOTE, to: 3 });
    expect(connections).toEqual([
      { target: 2, node: { addr: "two" }, closed: 0 },
      { target: 3, node: { addr: "three" }, closed: 0 },
    ]);
  });
});

describe("requests without an answer", () => {
  test("an append that is refused by the network has failed, once, and a vote is just not counted", async () => {
    const { sender, calls, events, logger } = setUp();
    sender.appendEntries(APPEND);
    sender.vote(VOTE);
    for (const { answer } of calls) answer.reject(new Error("no route"));
    await settled();
    expect(events).toEqual([FAILED]);
    expect(logger.of("raft.rpc.failed")).toEqual([
      { node: 1, peer: 2, rpc: "appendEntries", error: "no route" },
      { node: 1, peer: 2, rpc: "vote", error: "no route" },
    ]);
  });

  test("an append that is not answered in time has failed, once, even when the answer comes later", async () => {
    const { sender, clock, calls, events } = setUp();
    sender.appendEntries(APPEND);
    await clock.advance(149);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(events).toEqual([FAILED]);
    calls[0]?.answer.resolve(SUCCESS);
    await settled();
    expect(events).toEqual([FAILED]);
  });

  test("an answer in time is not failed later", async () => {
    const { sender, clock, calls, events } = setUp();
    sender.appendEntries(APPEND);
    calls[0]?.answer.resolve(SUCCESS);
    await clock.advance(1000);
    expect(events.map(({ type }) => type)).toEqual(["appendEntriesResponse"]);
  });

  test("a network that throws, and a peer that is no member, are failures like any other", async () => {
    const { sender, world, events, logger } = setUp();
    world.broken = new Error("broken");
    sender.appendEntries(APPEND);
    sender.appendEntries({ ...APPEND, to: 9 });
    await settled();
    expect(events).toEqual([FAILED, { ...FAILED, from: 9 }]);
    expect(logger.of("raft.rpc.failed").map(({ error }) => error)).toEqual([
      "broken",
      "node 9 is unreachable: it is not a member",
    ]);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a success without a match index", { type: "success", term: 3 }],
    ["a match index that is no number", { type: "success", term: 3, matchIndex: Number.NaN }],
    ["a term that is no number", { type: "refused", term: "4" }],
    ["a conflict without a hint", { type: "conflict", term: 3 }],
    ["something unheard of", { type: "maybe", term: 3 }],
  ])("an append that is answered with %s has failed: it reaches no engine", async (_, response) => {
    const { sender, calls, events, logger } = setUp();
    sender.appendEntries(APPEND);
    calls[0]?.answer.resolve(response);
    await settled();
    expect(events).toEqual([FAILED]);
    expect(logger.of("raft.rpc.failed")[0]?.["error"]).toMatch(/^answer/);
  });

  test.each([{ granted: true }, { term: 3, granted: "yes" }, null])(
    "a vote that is answered with %j is not counted",
    async (response) => {
      const { sender, calls, events } = setUp();
      sender.vote(VOTE);
      sender.preVote({ type: "sendPreVote", to: 2, request: VOTE.request });
      for (const { answer } of calls) answer.resolve(response);
      await settled();
      expect(events).toEqual([]);
    },
  );
});

describe("entries that have to be read first", () => {
  test("are sent when they have come, if this node still leads that term", async () => {
    for (const stillLeads of [true, false]) {
      const { sender, world, calls } = setUp();
      const read = deferred<Entries>();
      world.read = () => read.promise;
      sender.appendEntries(APPEND);
      expect(calls).toHaveLength(0);
      world.leads = stillLeads;
      read.resolve(blanks(3, 6, 7));
      await settled();
      expect(calls).toHaveLength(stillLeads ? 1 : 0);
    }
  });

  test("when they cannot be read the request has failed, and the log says so", async () => {
    for (const fail of [
      () => Promise.reject(new Error("purged")),
      () => {
        throw new Error("purged");
      },
    ]) {
      const { sender, world, calls, events, logger } = setUp();
      world.read = fail;
      sender.appendEntries(APPEND);
      await settled();
      expect(calls).toHaveLength(0);
      expect(events).toEqual([FAILED]);
      expect(logger.of("raft.read.failed")).toEqual([{ node: 1, peer: 2, error: "purged" }]);
    }
  });
});

describe("connections", () => {
  test("to nodes that are members no more are closed, once, and made anew when they come back", () => {
    const { sender, connections } = setUp();
    sender.vote(VOTE);
    sender.vote({ ...VOTE, to: 3 });
    sender.retain((id) => id === 3);
    sender.retain((id) => id === 3);
    expect(connections.map(({ target, closed }) => [target, closed])).toEqual([
      [2, 1],
      [3, 0],
    ]);
    sender.vote(VOTE);
    expect(connections).toHaveLength(3);
  });
});
