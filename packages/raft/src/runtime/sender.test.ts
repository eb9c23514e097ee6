import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  BasicNode,
  BytesTypeConfig,
  InstallSnapshotRequest,
  LogEntry,
  NodeId,
  Request,
  RequestHeader,
  RpcRequest,
  RpcResponse,
  StorageVerb,
} from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { MaybePromise, RaftLogReader } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../test/support/instruments.js";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import type { Deferred } from "../../test/support/promises.js";
import { blanks, logId, voters } from "../../test/support/values.js";
import type { SendAppendEntriesCommand, SendVoteCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import type { RpcCaller } from "../network/raft-network.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Passport } from "./identity.js";
import { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { Sender } from "./sender.js";
import { StallWatch } from "./stall-watch.js";
import { TermBound } from "./term-bound.js";

type Entries = readonly LogEntry<Request>[];
type Part = InstallSnapshotRequest<BasicNode>;

const VOTE: SendVoteCommand = {
  type: "sendVote",
  to: 2,
  request: { term: 3, candidateId: 1, lastLogId: logId(2, 5), transfer: false },
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
/** The store that every peer runs on. */
const STORE = 77;
const SUCCESS = { type: "success", term: 3, matchIndex: 7 } as const;

/** What node 2 answers, with who it is. */
function signed<T>(response: T): T & { header: object } {
  return { ...response, header: { from: 2, incarnation: STORE } };
}

function setUp() {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  /** Timers that are neither over nor cancelled. */
  const timers = new Set<object>();
  const logger = new RecordingLogger();
  const events: Event[] = [];
  const calls: { rpc: string; request: unknown; header: RequestHeader; answer: Deferred<unknown> }[] = [];
  const connections: { target: number; node: unknown; closed: number }[] = [];
  const world = {
    clock,
    logger,
    events,
    calls,
    connections,
    timers,
    /** Whether the engine still waits for the answer to a request. */
    awaits: (_seq: number): boolean => true,
    members: new Map<number, unknown>([
      [2, { addr: "two" }],
      [3, { addr: "three" }],
    ]),
    read: (since: number, upto: number): MaybePromise<Entries> => blanks(3, since, upto),
    /** Set to make every call throw before it answers a promise. */
    broken: null as Error | null,
    /** The stores that the membership names. */
    recorded: new Map<number, number>(),
    /** The stores that peers run on. */
    stores: new Map<number, number>(),
    stalls: [] as (StorageVerb | null)[],
    /** Set for a network that needs no promises: who waits for the answers to entries. */
    callers: null as RpcCaller<AppendEntriesResponse>[] | null,
  };
  const call =
    (target: NodeId, rpc: string) =>
    ({ header, ...request }: { header: RequestHeader }): Promise<never> => {
      if (world.broken !== null) throw world.broken;
      const answer = deferred<unknown>();
      calls.push({ rpc, request, header, answer });
      // Answers say who gives them.
      const signed = (response: unknown): unknown =>
        typeof response === "object" && response !== null
          ? { header: { from: target, incarnation: world.stores.get(target) ?? STORE }, ...response }
          : response;
      return answer.promise.then(signed) as Promise<never>;
    };
  const sender = new Sender<BytesTypeConfig>({
    id: 1,
    passport: new Passport({ clusterId: "here", nodeId: 1, incarnation: 11 }, () => ({
      ...voters(1, 2, 3),
      incarnations: world.recorded,
    })),
    terms: new TermBound(() => 7, new Instruments(1, logger, null)),
    stalls: new StallWatch(runtime, 1000, (verb) => void world.stalls.push(verb)),
    network: {
      connect: (target, node) => {
        const connection = { target, node, closed: 0 };
        connections.push(connection);
        return {
          preVote: call(target, "preVote"),
          vote: call(target, "vote"),
          appendEntries: call(target, "appendEntries"),
          installSnapshot: call(target, "installSnapshot"),
          timeoutNow: call(target, "timeoutNow"),
          readIndex: call(target, "readIndex"),
          ...(world.callers === null
            ? {}
            : {
                callAppendEntries: (
                  { header, ...request }: RpcRequest<AppendEntriesRequest>,
                  caller: RpcCaller<AppendEntriesResponse>,
                ) => {
                  if (world.broken !== null) throw world.broken;
                  calls.push({ rpc: "callAppendEntries", request, header, answer: deferred<unknown>() });
                  world.callers?.push(caller);
                },
              }),
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
    runtime: {
      ...runtime,
      setTimer: (delayMs, callback) => {
        const timer = runtime.setTimer(delayMs, () => {
          timers.delete(timer);
          callback();
        });
        timers.add(timer);
        return {
          cancel: () => {
            timers.delete(timer);
            timer.cancel();
          },
        };
      },
    },
    instruments: new Instruments(1, logger, null),
    rpcTimeoutMs: 150,
    describe: (id) => world.members.get(id) as { addr: string } | undefined,
    maxPayloadBytes: 1000,
    maxInFlightBytes: 2000,
    sizeOf: ({ data }) => data.length,
    awaits: ({ seq }) => world.awaits(seq),
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
      { type: "voteResponse", from: 2, requestTerm: 3, response: signed({ term: 3, granted: true }) },
      { type: "preVoteResponse", from: 2, requestTerm: 3, response: signed({ term: 2, granted: false }) },
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
      {
        type: "appendEntriesResponse",
        from: 2,
        requestTerm: 3,
        seq: 9,
        response: signed(SUCCESS),
        incarnation: STORE,
      },
    ]);
  });

  test("a network that needs no promise for entries is given none: answers, errors, silence and throws come to the same", async () => {
    const { sender, world, calls, events } = setUp();
    const callers: RpcCaller<AppendEntriesResponse>[] = [];
    world.callers = callers;
    for (let seq = 1; seq <= 4; seq++) sender.appendEntries({ ...APPEND, seq });
    expect(calls.map(({ rpc }) => rpc)).toEqual(Array.from({ length: 4 }, () => "callAppendEntries"));
    callers[1]?.resolve(signed(SUCCESS) as unknown as RpcResponse<AppendEntriesResponse>);
    callers[1]?.reject(new Error("twice"));
    callers[0]?.reject(new Error("no answer can be had"));
    callers[2]?.resolve({ ...SUCCESS, header: { from: 3, incarnation: STORE } });
    world.broken = new Error("no connection");
    sender.appendEntries({ ...APPEND, seq: 5 });
    await world.clock.advance(160);
    callers[3]?.resolve(signed(SUCCESS) as unknown as RpcResponse<AppendEntriesResponse>);
    const response = {
      ...FAILED,
      type: "appendEntriesResponse",
      response: signed(SUCCESS),
      incarnation: STORE,
    };
    expect(events).toEqual([
      { ...response, seq: 2 },
      { ...FAILED, seq: 1 },
      { ...FAILED, seq: 3 },
      { ...FAILED, seq: 5 },
      { ...FAILED, seq: 4 },
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
    sender.appendEntries({ ...APPEND, upto: 5 });
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
  test("are sent when they have come, if the engine still waits for the answer", async () => {
    for (const stillLeads of [true, false]) {
      const { sender, world, calls } = setUp();
      const read = deferred<Entries>();
      world.read = () => read.promise;
      sender.appendEntries(APPEND);
      expect(calls).toHaveLength(0);
      world.awaits = () => stillLeads;
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

/** A request for the entries after `prevIndex` up to `upto`, all of term 3. */
function append(seq: number, prevIndex: number, upto: number): SendAppendEntriesCommand {
  return { ...APPEND, seq, prevLogId: logId(3, prevIndex), upto };
}

/** Entries from `since` to `upto`, each of which counts 32 bytes more than its command of `bytes`. */
function heavy(since: number, upto: number, bytes: number): Entries {
  return blanks(3, since, upto).map(({ logId: id }) => ({
    logId: id,
    payload: { type: "normal", data: { data: new Uint8Array(bytes) } },
  }));
}

function success(matchIndex: number) {
  return { type: "success", term: 3, matchIndex } as const;
}

/** What was sent, as the index before and the number of entries. */
function sent(calls: readonly { request: unknown }[]): [number, number][] {
  return calls.map(({ request }) => {
    const { prevLogId, entries } = request as AppendEntriesRequest;
    return [prevLogId.index, entries.length];
  });
}

describe("entries that are too large for one message", () => {
  test("go in portions that follow each other without waiting, and are answered as one", async () => {
    const { sender, world, calls, events } = setUp();
    world.read = (since, upto) => heavy(since, upto, 272);
    sender.appendEntries(append(1, 5, 10));
    expect(sent(calls)).toEqual([
      [5, 2],
      [7, 2],
      [9, 1],
    ]);
    for (const [i, matchIndex] of [7, 9].entries()) calls[i]?.answer.resolve(success(matchIndex));
    await settled();
    expect(events).toEqual([]);
    calls[2]?.answer.resolve(success(10));
    await settled();
    expect(events).toEqual([
      {
        type: "appendEntriesResponse",
        from: 2,
        requestTerm: 3,
        seq: 1,
        response: signed(success(10)),
        incarnation: STORE,
      },
    ]);
  });

  test("keep their order with the requests that follow: no portion of one comes after the next", () => {
    const { sender, world, calls } = setUp();
    world.read = (since, upto) => heavy(since, upto, 272);
    sender.appendEntries(append(1, 5, 9));
    sender.appendEntries(append(2, 9, 10));
    expect(sent(calls)).toEqual([
      [5, 2],
      [7, 2],
      [9, 1],
    ]);
  });

  test("report what arrived when the rest was lost", async () => {
    const { sender, world, calls, events } = setUp();
    world.read = (since, upto) => heavy(since, upto, 272);
    sender.appendEntries(append(1, 5, 9));
    calls[0]?.answer.resolve(success(7));
    calls[1]?.answer.reject(new Error("reset"));
    await settled();
    expect(events).toMatchObject([{ type: "appendEntriesResponse", seq: 1, response: success(7) }]);
  });

  test("once the first does not fit, the rest is not sent", async () => {
    const { sender, world, calls, events } = setUp();
    world.read = (since, upto) => heavy(since, upto, 804);
    sender.appendEntries(append(1, 5, 9));
    expect(sent(calls)).toEqual([
      [5, 1],
      [6, 1],
    ]);
    const conflict = { type: "conflict", term: 3, hint: logId(2, 4) } as const;
    calls[0]?.answer.resolve(conflict);
    calls[1]?.answer.resolve({ ...conflict, hint: logId(2, 5) });
    await settled();
    expect(events).toMatchObject([{ type: "appendEntriesResponse", response: conflict }]);
    expect(calls).toHaveLength(2);
  });
});

describe("the bytes on their way to one peer", () => {
  test("are bounded: the rest waits for answers, and heartbeats and other peers do not wait for it", async () => {
    const { sender, world, calls } = setUp();
    world.read = (since, upto) => heavy(since, upto, 804);
    for (let i = 0; i < 4; i++) sender.appendEntries(append(i, 5 + i, 6 + i));
    expect(calls).toHaveLength(2);
    sender.appendEntries(append(9, 5, 5));
    sender.appendEntries({ ...append(10, 5, 6), to: 3 });
    expect(sent(calls).slice(2)).toEqual([
      [5, 0],
      [5, 1],
    ]);
    calls[0]?.answer.resolve(success(6));
    await settled();
    expect(sent(calls).slice(4)).toEqual([[7, 1]]);
    calls[1]?.answer.reject(new Error("lost"));
    await settled();
    expect(sent(calls).slice(5)).toEqual([[8, 1]]);
  });

  test("bound how many small entries a follower has to hold: each counts 128 beside its command", () => {
    const { sender, world, calls } = setUp();
    world.read = (since, upto) => heavy(since, upto, 2);
    for (let i = 0; i < 10; i++) sender.appendEntries(append(i, 5 + 4 * i, 9 + 4 * i));
    // 15 of them come to 1950 of 2000: three messages of 4, and none of which only a part fits.
    expect(sent(calls)).toEqual([
      [5, 4],
      [9, 4],
      [13, 4],
    ]);
  });

  test("give them longer to be answered: a slow link is no dead peer, and heartbeats are not given that time", async () => {
    const { sender, world, clock, events } = setUp();
    world.read = (since, upto) => heavy(since, upto, 384);
    sender.appendEntries(append(1, 5, 6));
    sender.appendEntries(append(2, 6, 7));
    sender.appendEntries(append(3, 5, 5));
    await clock.advance(150);
    expect(events.map((event) => "seq" in event && event.seq)).toEqual([3]);
    await clock.advance(0.4);
    expect(events).toHaveLength(1);
    // 512 bytes, at 1024 bytes a millisecond.
    await clock.advance(0.1);
    expect(events.map((event) => "seq" in event && event.seq)).toEqual([3, 1]);
    await clock.advance(0.5);
    expect(events.map((event) => "seq" in event && event.seq)).toEqual([3, 1, 2]);
  });

  test("a peer that hangs gets no more: what the engine no longer waits for is dropped when its turn comes", async () => {
    const { sender, world, clock, calls, events } = setUp();
    const reads: number[] = [];
    world.read = (since, upto) => {
      reads.push(since);
      return heavy(since, upto, 1872);
    };
    for (let i = 0; i < 5; i++) sender.appendEntries(append(i, 5 + i, 6 + i));
    expect(calls).toHaveLength(1);
    // The first is lost, the engine begins again with number 7.
    world.awaits = (seq) => seq === 7;
    sender.appendEntries(append(7, 5, 6));
    await clock.advance(160);
    expect(sent(calls)).toEqual([
      [5, 1],
      [5, 1],
    ]);
    expect(events.map((event) => "seq" in event && event.seq)).toEqual([0]);
    await clock.advance(1000);
    // Nothing of it still counts: the next goes at once.
    world.awaits = () => true;
    sender.appendEntries(append(8, 5, 6));
    expect(calls).toHaveLength(3);
  });
});

describe("entries of which some are in memory and some on disk", () => {
  test("are sent in the order of the requests, however long reading takes; a heartbeat does not wait", async () => {
    const { sender, world, calls } = setUp();
    const slow = deferred<Entries>();
    world.read = (since, upto) => (since === 6 ? slow.promise : blanks(3, since, upto));
    sender.appendEntries(append(1, 5, 6));
    sender.appendEntries(append(2, 6, 7));
    sender.appendEntries(append(3, 5, 5));
    expect(sent(calls)).toEqual([[5, 0]]);
    slow.resolve(blanks(3, 6, 6));
    await settled();
    expect(sent(calls)).toEqual([
      [5, 0],
      [5, 1],
      [6, 1],
    ]);
  });

  test("are not read when the engine has given the request up in the meantime", async () => {
    const { sender, world, calls } = setUp();
    const slow = deferred<Entries>();
    const reads: number[] = [];
    world.read = (since) => {
      reads.push(since);
      return slow.promise;
    };
    sender.appendEntries(append(1, 5, 6));
    sender.appendEntries(append(2, 6, 7));
    world.awaits = () => false;
    slow.resolve(blanks(3, 6, 6));
    await settled();
    expect(reads).toEqual([6]);
    expect(calls).toEqual([]);
  });

  test("a read that fails does not hold up the requests after it, and one that gives nothing has failed", async () => {
    const { sender, world, calls, events, logger } = setUp();
    world.read = (since, upto) => {
      if (since === 6) throw new Error("purged");
      return since === 7 ? [] : blanks(3, since, upto);
    };
    for (let i = 1; i <= 3; i++) sender.appendEntries(append(i, 4 + i, 5 + i));
    await settled();
    expect(events).toEqual([
      { ...FAILED, seq: 1 },
      { ...FAILED, seq: 2 },
    ]);
    expect(logger.of("raft.read.failed").map(({ error }) => error)).toEqual([
      "purged",
      "storage failed to read log: got no entries from 7 on",
    ]);
    expect(sent(calls)).toEqual([[7, 1]]);
  });
});

describe("asking the leader for a read index", () => {
  const ASK = { type: "sendReadIndex", to: 2, requestId: 5, policy: "lease" } as const;

  test("says who asks and whether the lease will do, and brings the answer back", async () => {
    const { sender, calls, events } = setUp();
    sender.readIndex(ASK);
    sender.readIndex({ ...ASK, policy: "readIndex", requestId: 6 });
    expect(calls.map(({ request }) => request)).toEqual([{ lease: true }, { lease: false }]);
    expect(calls.map(({ header }) => header.from)).toEqual([1, 1]);
    calls[0]?.answer.resolve({ readIndex: logId(3, 8) });
    calls[1]?.answer.resolve({ readIndex: null });
    await settled();
    expect(events).toEqual([
      { type: "readIndexAnswered", requestId: 5, readIndex: logId(3, 8) },
      { type: "readIndexAnswered", requestId: 6, readIndex: null },
    ]);
  });

  test("without an answer, or with one that makes no sense, there is no index", async () => {
    const { sender, clock, calls, events } = setUp();
    for (let requestId = 1; requestId <= 3; requestId++) sender.readIndex({ ...ASK, requestId });
    calls[0]?.answer.reject(new Error("gone"));
    calls[1]?.answer.resolve({ readIndex: { term: 1, index: -5 } });
    await clock.advance(150);
    expect(events).toEqual(
      [1, 2, 3].map((requestId) => ({ type: "readIndexAnswered", requestId, readIndex: null })),
    );
  });
});

describe("asking a voter to take over", () => {
  const ASK = {
    type: "sendTimeoutNow",
    to: 2,
    request: { term: 3, leaderId: 1, lastLogId: logId(3, 8) },
  } as const;

  test("brings its answer back, with the term it was asked in", async () => {
    const { sender, calls, events } = setUp();
    sender.timeoutNow(ASK);
    expect(calls).toMatchObject([{ rpc: "timeoutNow", request: ASK.request }]);
    calls[0]?.answer.resolve({ term: 4, accepted: true });
    await settled();
    expect(events).toEqual([
      { type: "timeoutNowAnswered", from: 2, requestTerm: 3, term: 4, accepted: true },
    ]);
  });

  test("without an answer, or with one that makes no sense, it was refused, and no term was learned", async () => {
    const { sender, clock, calls, events } = setUp();
    for (let i = 0; i < 3; i++) sender.timeoutNow(ASK);
    calls[0]?.answer.reject(new Error("gone"));
    calls[1]?.answer.resolve({ term: 9, accepted: "yes" });
    await clock.advance(150);
    expect(events).toEqual(
      Array.from({ length: 3 }, () => ({
        type: "timeoutNowAnswered",
        from: 2,
        requestTerm: 3,
        term: 0,
        accepted: false,
      })),
    );
  });
});

describe("a part of a snapshot", () => {
  const part = (bytes: number): Part => ({
    term: 3,
    leaderId: 1,
    meta: {
      lastLogId: logId(2, 5),
      lastMembership: { logId: logId(0, 1), membership: voters(1, 2, 3) },
      snapshotId: "5",
    },
    size: bytes,
    offset: 0,
    data: new Uint8Array(bytes),
  });

  test("brings its answer back to who sends it", async () => {
    const { sender, calls } = setUp();
    const outcome = outcomeOf(sender.installSnapshot(2, part(10)));
    expect(calls).toMatchObject([{ rpc: "installSnapshot", request: part(10) }]);
    calls[0]?.answer.resolve({ type: "progress", term: 3, nextOffset: 10 });
    await settled();
    expect(outcome.values).toMatchObject([{ type: "progress", nextOffset: 10 }]);
  });

  test("has longer to be answered by what it weighs, and then counts as lost", async () => {
    const { sender, clock, timers } = setUp();
    const outcome = outcomeOf(sender.installSnapshot(2, part(10 * 1024)));
    await clock.advance(159);
    expect(outcome.errors).toEqual([]);
    await clock.advance(1);
    expect(outcome.errors).toMatchObject([{ message: "node 2 is unreachable: no answer within 160 ms" }]);
    expect(timers.size).toBe(0);
  });

  test("that is answered with nonsense counts as lost", async () => {
    const { sender, calls } = setUp();
    const outcome = outcomeOf(sender.installSnapshot(2, part(1)));
    calls[0]?.answer.resolve({ type: "progress", term: 3, nextOffset: -1 });
    await settled();
    expect(outcome.errors).toMatchObject([{ field: "answer.nextOffset" }]);
  });
});

describe("who is who", () => {
  test("every request says from which store it comes and for which it is meant", () => {
    const { sender, world, calls } = setUp();
    world.recorded.set(2, 55);
    sender.vote(VOTE);
    sender.preVote({ type: "sendPreVote", to: 2, request: VOTE.request });
    sender.appendEntries(APPEND);
    sender.readIndex({ type: "sendReadIndex", to: 2, requestId: 5, policy: "lease" });
    sender.timeoutNow({
      type: "sendTimeoutNow",
      to: 2,
      request: { ...APPEND, leaderId: 1, lastLogId: logId(3, 7) },
    });
    void outcomeOf(sender.installSnapshot(2, { data: new Uint8Array(0) } as Part));
    const header = { clusterId: "here", from: 1, incarnation: 11, to: 2, toIncarnation: 55 };
    expect(calls.map((call) => call.header)).toEqual(Array.from({ length: 6 }, () => header));
    world.recorded.delete(2);
    sender.vote(VOTE);
    expect(calls.at(-1)?.header).toEqual({ ...header, toIncarnation: 0 });
  });

  test("an answer from another node, or from another store of the same, counts for nothing", async () => {
    const { sender, world, calls, events, logger } = setUp();
    world.recorded.set(2, STORE);
    world.stores.set(2, STORE + 1);
    sender.vote(VOTE);
    sender.preVote({ type: "sendPreVote", to: 2, request: VOTE.request });
    sender.appendEntries(APPEND);
    sender.readIndex({ type: "sendReadIndex", to: 2, requestId: 5, policy: "lease" });
    for (const { rpc, answer } of calls) {
      answer.resolve(
        rpc === "appendEntries"
          ? SUCCESS
          : rpc === "readIndex"
            ? { readIndex: logId(3, 8) }
            : { term: 3, granted: true },
      );
    }
    await settled();
    expect(events).toEqual([FAILED, { type: "readIndexAnswered", requestId: 5, readIndex: null }]);
    expect(logger.of("raft.rpc.failed")[0]?.["error"]).toContain("another store");
    world.stores.clear();
    sender.vote(VOTE);
    calls.at(-1)?.answer.resolve({ term: 3, granted: true, header: { from: 3, incarnation: STORE } });
    await settled();
    expect(events).toHaveLength(2);
  });

  test("a peer on a foreign store is reported aloud once, until it answers as it should", async () => {
    const { sender, world, calls, logger } = setUp();
    const answer = async (): Promise<void> => {
      sender.vote(VOTE);
      calls.at(-1)?.answer.resolve({ term: 3, granted: true });
      await settled();
    };
    const levels = (): string[] =>
      logger.records.filter(({ event }) => event === "raft.rpc.failed").map(({ level }) => level);
    world.recorded.set(2, 1);
    await answer();
    await answer();
    expect(levels()).toEqual(["warn", "debug"]);
    world.recorded.set(2, STORE);
    await answer();
    world.recorded.set(2, 1);
    await answer();
    expect(levels()).toEqual(["warn", "debug", "warn"]);
  });
});

describe("storage that hangs while entries are read for a peer", () => {
  test("is noticed, and when it ends at last", async () => {
    const { sender, world, clock } = setUp();
    const read = deferred<Entries>();
    world.read = () => read.promise;
    sender.appendEntries(APPEND);
    await clock.advance(999);
    expect(world.stalls).toEqual([]);
    await clock.advance(1);
    expect(world.stalls).toEqual(["read log"]);
    read.reject(new Error("read error"));
    await settled();
    expect(world.stalls).toEqual(["read log", null]);
  });
});

describe("deadlines", () => {
  test("are each call's own, although one timer serves them all", async () => {
    const { sender, calls, events, clock, timers } = setUp();
    sender.appendEntries(append(1, 5, 6));
    await clock.advance(100);
    sender.appendEntries(append(2, 6, 7));
    sender.appendEntries(append(3, 7, 8));
    expect(timers.size).toBe(1);
    calls[2]?.answer.resolve({ ...SUCCESS, matchIndex: 8 });
    await clock.advance(60);
    expect(events).toMatchObject([
      { type: "appendEntriesResponse", seq: 3 },
      { type: "appendEntriesFailed", seq: 1 },
    ]);
    await clock.advance(100);
    expect(events).toMatchObject([{ seq: 3 }, { seq: 1 }, { type: "appendEntriesFailed", seq: 2 }]);
    expect(timers.size).toBe(0);
  });
});

describe("the same entries for several followers", () => {
  test("are read once in a term, and anew in the next", () => {
    const { sender, calls, world } = setUp();
    const reads: [number, number][] = [];
    world.read = (since, upto) => {
      reads.push([since, upto]);
      return blanks(3, since, upto);
    };
    sender.appendEntries(append(1, 5, 7));
    sender.appendEntries({ ...append(2, 5, 7), to: 3 });
    expect(reads).toEqual([[6, 7]]);
    expect(calls.map(({ request }) => (request as { entries: unknown }).entries)).toEqual([
      blanks(3, 6, 7),
      blanks(3, 6, 7),
    ]);
    sender.appendEntries({ ...append(3, 5, 7), term: 4 });
    sender.appendEntries(append(4, 5, 6));
    expect(reads).toEqual([
      [6, 7],
      [6, 7],
      [6, 6],
    ]);
  });
});

describe("once it is closed", () => {
  test("what is under way has failed, and nothing else counts: no answer, no deadline, no entries that come late", async () => {
    const { sender, world, clock, calls, connections, events, timers } = setUp();
    const slow = deferred<Entries>();
    sender.vote(VOTE);
    sender.appendEntries(append(1, 5, 6));
    world.read = () => slow.promise;
    sender.appendEntries(append(2, 6, 7));
    expect(timers.size).toBe(1);
    sender.close();
    await settled();
    expect(events).toEqual([{ ...FAILED, seq: 1 }]);
    expect(timers.size).toBe(0);
    slow.resolve(blanks(3, 7, 7));
    calls[0]?.answer.resolve({ term: 3, granted: true });
    sender.vote({ ...VOTE, to: 3 });
    await clock.advance(1000);
    expect(calls).toHaveLength(2);
    expect(events).toHaveLength(1);
    expect(timers.size).toBe(0);
    expect(connections).toMatchObject([{ target: 2, closed: 1 }]);
  });
});

describe("connections", () => {
  test("to nodes that are members no more are closed, once, and made anew when they come back", () => {
    const { sender, connections } = setUp();
    sender.vote(VOTE);
    sender.vote({ ...VOTE, to: 3 });
    expect(sender.retain((id) => id === 3)).toEqual([2]);
    expect(sender.retain((id) => id === 3)).toEqual([]);
    expect(connections.map(({ target, closed }) => [target, closed])).toEqual([
      [2, 1],
      [3, 0],
    ]);
    sender.vote(VOTE);
    expect(connections).toHaveLength(3);
  });

  test("to nodes that moved are closed and made anew, to where they are now", () => {
    const { sender, world, connections } = setUp();
    sender.vote(VOTE);
    sender.vote({ ...VOTE, to: 3 });
    world.members.set(2, { addr: "two, elsewhere" });
    world.members.set(3, { addr: "three" });
    expect(sender.retain(() => true)).toEqual([2]);
    sender.vote(VOTE);
    sender.vote({ ...VOTE, to: 3 });
    expect(connections).toEqual([
      { target: 2, node: { addr: "two" }, closed: 1 },
      { target: 3, node: { addr: "three" }, closed: 0 },
      { target: 2, node: { addr: "two, elsewhere" }, closed: 0 },
    ]);
  });

  test("to a peer that leaves stay as they were until it is told: nothing describes it any more", () => {
    const { sender, world, calls, connections } = setUp();
    sender.vote(VOTE);
    world.members.delete(2);
    expect(sender.retain(() => true)).toEqual([]);
    sender.appendEntries(APPEND);
    expect(calls).toHaveLength(2);
    expect(connections).toEqual([{ target: 2, node: { addr: "two" }, closed: 0 }]);
  });

  test("that are given up fail what is on its way, entries and questions alike, at once", async () => {
    const { sender, calls, events, timers } = setUp();
    sender.appendEntries(APPEND);
    sender.readIndex({ type: "sendReadIndex", to: 2, requestId: 5, policy: "lease" });
    const part = outcomeOf(sender.installSnapshot(2, { data: new Uint8Array(0) } as Part));
    sender.retain(() => false);
    await settled();
    expect(events).toEqual([FAILED, { type: "readIndexAnswered", requestId: 5, readIndex: null }]);
    expect(part.errors[0]).toBeInstanceOf(UnreachableError);
    expect(timers.size).toBe(0);
    // A late answer changes nothing.
    calls[0]?.answer.resolve(SUCCESS);
    await settled();
    expect(events).toHaveLength(2);
  });

  test("a window that was full of what is lost is free at the new address", async () => {
    const { sender, world, calls } = setUp();
    world.read = (since, upto) => heavy(since, upto, 804);
    for (let i = 0; i < 4; i++) sender.appendEntries(append(i, 5 + i, 6 + i));
    expect(calls).toHaveLength(2);
    world.members.set(2, { addr: "two, elsewhere" });
    sender.retain(() => true);
    await settled();
    expect(calls).toHaveLength(2);
    for (let i = 10; i < 14; i++) sender.appendEntries(append(i, i - 5, i - 4));
    expect(sent(calls).slice(2)).toEqual([
      [5, 1],
      [6, 1],
    ]);
  });

  test("a description that cannot be compared costs a connection and nothing else", () => {
    const { sender, world, connections } = setUp();
    const odd: Record<string, unknown> = { addr: "two" };
    odd["itself"] = odd;
    world.members.set(2, odd);
    sender.vote(VOTE);
    expect(sender.retain(() => true)).toEqual([]);
    world.members.set(2, { ...odd });
    expect(sender.retain(() => true)).toEqual([2]);
    sender.vote(VOTE);
    expect(connections).toHaveLength(2);
  });
});
