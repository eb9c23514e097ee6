import { describe, expect, test } from "vitest";
import { engineState } from "../../test/support/engine-state.js";
import { RecordingLogger, RecordingTracer } from "../../test/support/instruments.js";
import { logId, voters } from "../../test/support/values.js";
import type { EngineState, LeaderRole, Role } from "../engine/state.js";
import { EngineObserver } from "./engine-observer.js";
import { Instruments } from "./instruments.js";

const LEADER: LeaderRole = {
  type: "leader",
  firstIndex: 1,
  since: 0,
  progress: new Map(),
  reads: [],
  round: 0,
  askRestAt: Number.POSITIVE_INFINITY,
  restAt: Number.POSITIVE_INFINITY,
  change: null,
  leaseForfeited: false,
};
const CANDIDATE: Role = { type: "candidate", granted: new Set(), ownVoteIo: 1 };
const PRE_CANDIDATE: Role = { type: "preCandidate", granted: new Set(), attempt: 1 };
const FOLLOWER: Role = { type: "follower", leaderId: null };

function setUp(): {
  observer: EngineObserver;
  state: EngineState;
  logger: RecordingLogger;
  tracer: RecordingTracer;
} {
  const logger = new RecordingLogger();
  const tracer = new RecordingTracer();
  const state = engineState({ role: FOLLOWER });
  return { observer: new EngineObserver(state, new Instruments(1, logger, tracer)), state, logger, tracer };
}

function enter(state: EngineState, role: Role, term: number): void {
  state.role = role;
  state.vote = { term, votedFor: 1, committed: role.type === "leader" };
}

describe("the log of a node", () => {
  test("says when role and term change, and from what to what", () => {
    const { observer, state, logger } = setUp();
    observer.observe(state);
    expect(logger.records).toEqual([]);
    enter(state, CANDIDATE, 1);
    observer.observe(state);
    observer.observe(state);
    expect(logger.of("raft.role")).toEqual([
      { node: 1, from: "follower", to: "candidate", term: 1, lastLog: "0-0" },
    ]);
    enter(state, LEADER, 1);
    observer.observe(state);
    expect(logger.of("raft.role").at(-1)).toMatchObject({ from: "candidate", to: "leader" });
  });

  test("says who leads, once for each change", () => {
    const { observer, state, logger } = setUp();
    state.role = { type: "follower", leaderId: 3 };
    observer.observe(state);
    observer.observe(state);
    state.role = FOLLOWER;
    observer.observe(state);
    expect(logger.of("raft.leader")).toMatchObject([{ leader: 3 }, { leader: null }]);
  });

  test("says which membership is in force, also when one goes back", () => {
    const { observer, state, logger } = setUp();
    state.memberships.push({ logId: logId(1, 4), membership: voters(1, 2, 3) });
    observer.observe(state);
    observer.observe(state);
    state.memberships.pop();
    observer.observe(state);
    expect(logger.of("raft.membership")).toMatchObject([
      { index: 4, voters: "[[1,2,3]]" },
      { index: 0, voters: "[]" },
    ]);
  });
});

describe("the span of an election", () => {
  test("runs from the first candidacy to the victory, pre-votes and repeated rounds included", () => {
    const { observer, state, tracer } = setUp();
    enter(state, PRE_CANDIDATE, 4);
    observer.observe(state);
    enter(state, CANDIDATE, 5);
    observer.observe(state);
    enter(state, CANDIDATE, 6);
    observer.observe(state);
    expect(tracer.spans).toMatchObject([
      { name: "raft.election", attributes: { "raft.node": 1, "raft.term": 4 }, ends: 0 },
    ]);
    enter(state, LEADER, 6);
    observer.observe(state);
    expect(tracer.spans).toMatchObject([{ ends: 1, exceptions: [] }]);
  });

  test("a lost election ends with an error, and the next is a span of its own", () => {
    const { observer, state, tracer } = setUp();
    enter(state, CANDIDATE, 2);
    observer.observe(state);
    enter(state, FOLLOWER, 3);
    observer.observe(state);
    expect(tracer.spans).toMatchObject([{ ends: 1, exceptions: [{ message: "lost: follower in term 3" }] }]);
    enter(state, CANDIDATE, 4);
    observer.observe(state);
    expect(tracer.named("raft.election")).toHaveLength(2);
  });

  test("an election during which the node stops ends with the reason", () => {
    const { observer, state, tracer } = setUp();
    enter(state, CANDIDATE, 2);
    observer.observe(state);
    const error = new Error("down");
    observer.stopped(error, new Error("unknown"));
    observer.stopped(error, new Error("unknown"));
    expect(tracer.spans).toMatchObject([{ ends: 1, exceptions: [error] }]);
  });
});

describe("the span of reads", () => {
  const asked = (requestId: number) =>
    ({ type: "readIndex", requestId, policy: "lease", forwarded: true }) as const;

  test("runs until their index is known, or they are refused, or the node stops: each ends once, with why", () => {
    const { observer, tracer } = setUp();
    for (const id of [1, 2, 3]) observer.readsAsked(asked(id));
    expect(tracer.spans[0]).toMatchObject({
      name: "raft.read",
      attributes: { "raft.policy": "lease", "raft.forwarded": true },
      ends: 0,
    });
    observer.readsConfirmed(2);
    const refusal = new Error("no leader");
    observer.readsRefused(1, refusal);
    const down = new Error("down");
    observer.stopped(down, new Error("unknown"));
    observer.stopped(down, new Error("unknown"));
    observer.readsConfirmed(3);
    expect(tracer.spans.map(({ ends, exceptions }) => [ends, exceptions])).toEqual([
      [1, [refusal]],
      [1, []],
      [1, [down]],
    ]);
  });
});

describe("the span of a commit", () => {
  test("runs from the proposal until the last of its entries is committed", () => {
    const { observer, tracer } = setUp();
    observer.proposed(5, 7);
    observer.proposed(8, 8);
    expect(tracer.spans).toMatchObject([
      { name: "raft.commit", attributes: { "raft.first_index": 5, "raft.entries": 3 }, ends: 0 },
      { name: "raft.commit", attributes: { "raft.first_index": 8, "raft.entries": 1 }, ends: 0 },
    ]);
    observer.committed(6);
    expect(tracer.spans.map(({ ends }) => ends)).toEqual([0, 0]);
    observer.committed(7);
    expect(tracer.spans.map(({ ends }) => ends)).toEqual([1, 0]);
    observer.committed(20);
    observer.committed(21);
    expect(tracer.spans.map(({ ends, exceptions }) => [ends, exceptions])).toEqual([
      [1, []],
      [1, []],
    ]);
  });

  test("ends with the error when nobody waits for it any more", () => {
    const { observer, tracer } = setUp();
    observer.proposed(5, 5);
    const error = new Error("deposed");
    observer.abandoned(error);
    observer.committed(5);
    expect(tracer.spans).toMatchObject([{ ends: 1, exceptions: [error] }]);
  });

  test("without a tracer nothing is kept", () => {
    const logger = new RecordingLogger();
    const observer = new EngineObserver(engineState(), new Instruments(1, logger, null));
    observer.proposed(1, 3);
    observer.committed(3);
    observer.abandoned(new Error("x"));
    observer.stopped(new Error("x"), new Error("x"));
    expect(logger.records).toEqual([]);
  });
});
