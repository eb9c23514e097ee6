import type { SessionCommand, TypeConfig } from "@seshat/common";
import {
  NotLeaderError,
  OverloadedError,
  SessionError,
  StorageStalledError,
  TimeoutError,
  TransferInProgressError,
  UnknownOutcomeError,
} from "@seshat/common";
import type { RaftMetrics } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import type { ClusterNode } from "./cluster-client.js";
import { ClusterClient } from "./cluster-client.js";

type Config = TypeConfig<string, string>;

/** A write as a node receives it. */
interface Sent {
  readonly data: string;
  readonly session: SessionCommand;
  readonly timeoutMs: number;
}

/** A node that answers what the test says, in order; without an answer left, it is successful. */
class FakeNode {
  readonly sent: Sent[] = [];
  readonly answers: (Error | Promise<never>)[] = [];
  readonly openings: (Error | Promise<never>)[] = [];
  readonly id: number;
  term = 1;
  leads = true;
  sessions = 0;
  reads = 0;

  constructor(id = 1) {
    this.id = id;
  }

  asNode(): ClusterNode<Config> {
    return {
      id: this.id,
      isLeader: () => this.leads,
      metrics: () => ({ term: this.term }) as RaftMetrics<Config["Node"]>,
      openSession: async () => {
        const failure = this.openings.shift();
        if (failure instanceof Error) throw failure;
        if (failure !== undefined) return failure;
        this.sessions += 1;
        return this.id * 100 + this.sessions;
      },
      clientWrite: async (data, options) => {
        this.sent.push({ data, ...(options as Required<Pick<Sent, "session" | "timeoutMs">>) });
        const failure = this.answers.shift();
        if (failure instanceof Error) throw failure;
        if (failure !== undefined) return failure;
        return { logId: { term: this.term, index: this.sent.length }, response: data.toUpperCase() };
      },
      ensureLinearizable: () => {
        this.reads += 1;
        return Promise.resolve({ term: this.term, index: 1 });
      },
    };
  }
}

const NOT_LEADER = new NotLeaderError(null, null);
const UNKNOWN = new UnknownOutcomeError("the node stopped");
const NEVER = new Promise<never>(() => undefined);

function setUp(...nodes: FakeNode[]) {
  const clock = new VirtualClock();
  const client = new ClusterClient<Config>(
    () => nodes.map((node) => node.asNode()),
    clock.runtime(new SeededRandom(1)),
    { timeoutMs: 1000, attemptTimeoutMs: 100, pauseMs: 20 },
  );
  const settle = <T>(promise: Promise<T>, limitMs = 1000): Promise<T> =>
    clock.runUntilSettled(promise, limitMs);
  const failure = (promise: Promise<unknown>): Promise<Error> =>
    settle(
      promise.then(
        () => Promise.reject(new Error("it succeeded")),
        (error: unknown) => error as Error,
      ),
    );
  return { client, clock, settle, failure };
}

const expired = (sessionId: number): SessionError => new SessionError(sessionId, "expired");

describe("a write", () => {
  test("that is tried again keeps its session and its number, until it has an answer", async () => {
    const node = new FakeNode();
    node.answers.push(NOT_LEADER, UNKNOWN, new OverloadedError("requests", 1), UNKNOWN);
    const { client, settle, clock } = setUp(node);
    expect(await settle(client.write("a"))).toMatchObject({ response: "A" });
    expect(clock.now).toBe(80);
    expect(node.sent.map(({ session }) => session)).toEqual(
      Array.from({ length: 5 }, () => ({ sessionId: 101, sequence: 1, answeredBelow: 1 })),
    );
    expect(node.sessions).toBe(1);
  });

  test("waits while the leadership is handed over or storage hangs: nothing of it is in a log", async () => {
    const node = new FakeNode();
    node.answers.push(new TransferInProgressError(2), new StorageStalledError("append"));
    const { client, settle } = setUp(node);
    expect(await settle(client.write("a"))).toMatchObject({ response: "A" });
    expect(node.sent).toHaveLength(3);
  });

  test("says which answers the client has: those below the oldest command without one", async () => {
    const node = new FakeNode();
    const { client, settle } = setUp(node);
    await settle(client.write("a"));
    node.answers.push(NOT_LEADER);
    const slow = client.write("b");
    await settle(client.write("c"));
    await settle(slow);
    await settle(client.write("d"));
    const said = node.sent.map(({ data, session }) => [data, session.sequence, session.answeredBelow]);
    expect(said).toEqual([
      ["a", 1, 1],
      ["b", 2, 2],
      ["c", 3, 2],
      ["b", 2, 2],
      ["d", 4, 4],
    ]);
  });

  test("whose session expired before anything reached a log goes into a new one", async () => {
    const node = new FakeNode();
    node.answers.push(NOT_LEADER, expired(101));
    const { client, settle } = setUp(node);
    expect(await settle(client.write("a"))).toMatchObject({ response: "A" });
    expect(node.sent.map(({ session }) => session.sessionId)).toEqual([101, 101, 102]);
  });

  test("whose session expired after it may have reached a log is not sent in another: its outcome is unknown", async () => {
    const node = new FakeNode();
    const gone = expired(101);
    node.answers.push(UNKNOWN, gone);
    const { client, settle, failure } = setUp(node);
    const error = await failure(client.write("a"));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.cause).toBe(gone);
    expect(node.sent).toHaveLength(2);
    await settle(client.write("b"));
    expect(node.sent.at(-1)?.session.sessionId).toBe(102);
  });

  test("may have reached a log in the new session too, and then stays in that one", async () => {
    const node = new FakeNode();
    // Both of the first session expire; the second time round "a" reaches a log, and "b" finds the session gone later.
    node.answers.push(expired(101), expired(101), UNKNOWN);
    const { client, settle } = setUp(node);
    await settle(Promise.all([client.write("a"), client.write("b")]));
    expect(node.sessions).toBe(2);
    const ids = node.sent.map(({ session }) => session.sessionId);
    expect(ids).toEqual([101, 101, 102, 102, 102]);
  });

  test("that hears late of a session's end goes on in the one that another write has opened since", async () => {
    const node = new FakeNode();
    const { client, settle, clock } = setUp(node);
    const late = new Promise<never>((_, reject) => {
      clock.runtime(new SeededRandom(1)).setTimer(50, () => reject(expired(101)));
    });
    node.answers.push(expired(101), late);
    await settle(Promise.all([client.write("a"), client.write("b")]));
    expect(node.sent.map(({ data, session }) => [data, session.sessionId])).toEqual([
      ["a", 101],
      ["b", 101],
      ["a", 102],
      ["b", 102],
    ]);
  });

  test("that could not open a session was certainly not made, whatever became of the session", async () => {
    const node = new FakeNode();
    for (let i = 0; i < 60; i += 1) node.openings.push(UNKNOWN);
    const { client, failure, clock } = setUp(node);
    const error = await failure(client.write("a"));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain("the opening of a session");
    expect(clock.now).toBe(1000);
    expect(node.sent).toEqual([]);
  });

  test("does not wait for the opening of a session for longer than an attempt takes, nor open several at once", async () => {
    const node = new FakeNode();
    node.openings.push(NEVER);
    const { client, failure } = setUp(node);
    const writes = await Promise.all([failure(client.write("a")), failure(client.write("b"))]);
    expect(writes.map((error) => error.constructor.name)).toEqual(["TimeoutError", "TimeoutError"]);
    expect(node.sessions).toBe(0);
  });

  test("that the state machine can keep no session for fails at once", async () => {
    const node = new FakeNode();
    node.openings.push(new SessionError(1, "unsupported"));
    const { client, failure, clock } = setUp(node);
    expect(await failure(client.write("a"))).toMatchObject({ code: "session", problem: "unsupported" });
    expect(clock.now).toBe(0);
  });

  test("that fails for a reason of its own is not tried again", async () => {
    const node = new FakeNode();
    const broken = new RangeError("no such thing");
    node.answers.push(broken);
    const { client, failure } = setUp(node);
    expect(await failure(client.write("a"))).toBe(broken);
    expect(node.sent).toHaveLength(1);
  });

  test("that nobody answers ends when its time is up, no attempt longer than what is left", async () => {
    const node = new FakeNode();
    for (let i = 0; i < 60; i += 1) node.answers.push(NOT_LEADER);
    const { client, clock, failure } = setUp(node);
    expect(await failure(client.write("a", 150))).toBe(NOT_LEADER);
    expect(clock.now).toBe(150);
    expect(node.sent.map(({ timeoutMs }) => timeoutMs)).toEqual([100, 100, 100, 90, 70, 50, 30, 10]);
  });

  test("goes to the node with the latest term, of two that believe to lead", async () => {
    const [deposed, leader, newer] = [new FakeNode(1), new FakeNode(2), new FakeNode(3)];
    deposed.term = 4;
    leader.term = 5;
    newer.term = 6;
    newer.leads = false;
    const { client, settle } = setUp(deposed, leader, newer);
    await settle(client.write("a"));
    expect([deposed, leader, newer].map(({ sent }) => sent.length)).toEqual([0, 1, 0]);
  });
});

describe("a read", () => {
  test("goes to the leader, or to the node it asks for, whoever leads", async () => {
    const [follower, leader] = [new FakeNode(1), new FakeNode(2)];
    follower.leads = false;
    const { client, settle } = setUp(follower, leader);
    expect((await settle(client.readIndex())).node).toBe(2);
    expect((await settle(client.readIndex(1))).node).toBe(1);
    expect([follower.reads, leader.reads]).toEqual([1, 1]);
  });

  test("without a leader ends when its time is up", async () => {
    const node = new FakeNode();
    node.leads = false;
    const { client, failure, clock } = setUp(node);
    expect((await failure(client.readIndex())).message).toBe(
      "the election of a leader did not happen within 1000 ms",
    );
    expect(clock.now).toBe(1000);
  });
});
