import { describe, expect, test } from "vitest";
import type { StartOptions } from "../../test/engine-harness.js";
import {
  elected,
  id,
  makeContext,
  memberships,
  snapshotMeta,
  trail,
  voters,
} from "../../test/engine-harness.js";
import { checkState, checkTransition, summarize } from "./invariants.js";
import type { EngineState } from "./state.js";

/** A state in which everything holds, with room on all sides. */
const SOUND: StartOptions = {
  purged: id(1, 1),
  snapshot: 2,
  applied: 3,
  committed: 5,
  terms: [1, 1, 2, 2, 3],
  vote: { term: 4, votedFor: 2 },
};

function soundState(): EngineState {
  return makeContext(SOUND).state;
}

/** A leader's state in which everything holds. */
function leadingState(): EngineState {
  return elected().state;
}

describe("a sound state", () => {
  test("is found sound, on a follower and on a leader", () => {
    expect(() => checkState(soundState())).not.toThrow();
    expect(() => checkState(leadingState())).not.toThrow();
  });

  const faults: [rule: string, spoil: (state: EngineState) => void][] = [
    ["order of the log: 1 <= 4 <= 3", (state) => (state.snapshot.lastLogId = id(2, 4))],
    ["order of the log: 1 <= 2 <= 6", (state) => (state.applied = id(3, 6))],
    ["order of the log: 1 <= 2 <= 3 <= 6 <= 5", (state) => (state.dispatchedIndex = 6)],
    ["order of the log: 1 <= 2 <= 3 <= 3 <= 7", (state) => (state.committed = id(3, 7))],
    ["durable within the log: 7 > 6", (state) => (state.io.durableIndex = 7)],
    ["applied within durable: 3 > 2", (state) => (state.io.durableIndex = 2)],
    ["log term within term: 3 > 2", (state) => (state.vote = { ...state.vote, term: 2 })],
    ["committed is in the log", (state) => (state.committed = id(1, 5))],
    [
      "memberships in order: 0,4,4",
      (state) => {
        for (let i = 0; i < 2; i++) state.memberships.push({ logId: id(2, 4), membership: voters(1, 2) });
      },
    ],
    [
      "memberships in the log: 7 > 6",
      (state) => state.memberships.push({ logId: id(3, 7), membership: voters(1) }),
    ],
    [
      "one committed membership: 0,4",
      (state) => state.memberships.push({ logId: id(2, 4), membership: voters(1) }),
    ],
    [
      "candidates and leaders vote for themselves",
      (state) => (state.role = { type: "candidate", granted: new Set(), ownVoteIo: 1 }),
    ],
    ["voters follow, others learn: learner", (state) => (state.role = { type: "learner", leaderId: null })],
    [
      "voters follow, others learn: follower",
      (state) => (state.memberships[0] = { logId: id(0, 0), membership: memberships([[2]], 2) }),
    ],
    [
      "voters follow, others learn: preCandidate",
      (state) => {
        state.memberships[0] = { logId: id(0, 0), membership: memberships([[2]], 2) };
        state.role = { type: "preCandidate", granted: new Set([1]), attempt: 1 };
      },
    ],
    [
      "whose storage hangs neither leads nor stands: preCandidate",
      (state) => {
        state.stalled = "append";
        state.role = { type: "preCandidate", granted: new Set([1]), attempt: 1 };
      },
    ],
    [
      "who installs a snapshot neither leads nor stands: preCandidate",
      (state) => {
        state.snapshot.installing = snapshotMeta(id(3, 9));
        state.role = { type: "preCandidate", granted: new Set([1]), attempt: 1 };
      },
    ],
    [
      "a snapshot is installed over older state: 3 >= 3",
      (state) => (state.snapshot.installing = snapshotMeta(id(2, 3))),
    ],
    [
      "a transfer is of a term that was: 5 > 4",
      (state) => (state.transfer = { requestId: 1, target: 2, deadline: 0, term: 5, asked: false }),
    ],
  ];

  test.each(faults)("fails by %s", (rule, spoil) => {
    const state = soundState();
    spoil(state);
    expect(() => checkState(state)).toThrow(rule);
  });

  test("may hang, install or hand over as a follower", () => {
    const state = soundState();
    state.stalled = "append";
    state.snapshot.installing = snapshotMeta(id(2, 4));
    state.transfer = { requestId: 1, target: 2, deadline: 0, term: 4, asked: true };
    expect(() => checkState(state)).not.toThrow();
  });

  const leaderFaults: [rule: string, spoil: (state: EngineState) => void][] = [
    [
      "candidates and leaders vote for themselves",
      (state) => (state.vote = { term: 1, votedFor: 2, committed: true }),
    ],
    ["a leader's vote is committed", (state) => (state.vote = { term: 1, votedFor: 1, committed: false })],
    ["match below next: node 2: 2", (state) => Object.assign(progressOf(state), { matchIndex: 2 })],
    ["next within the log: node 2: 3", (state) => Object.assign(progressOf(state), { nextIndex: 3 })],
  ];

  test.each(leaderFaults)("of a leader fails by %s", (rule, spoil) => {
    const state = leadingState();
    spoil(state);
    expect(() => checkState(state)).toThrow(rule);
  });

  test("fails when terms fall along the log", () => {
    const log = trail([2, 2, 3]);
    Object.defineProperty(log, "ranges", {
      value: () => [
        { term: 3, firstIndex: 1 },
        { term: 2, firstIndex: 3 },
      ],
    });
    expect(() => checkState({ ...makeContext({ terms: [2, 2, 3] }).state, log })).toThrow(
      "terms rise along the log: 3,2",
    );
  });
});

function progressOf(state: EngineState): object {
  if (state.role.type !== "leader") throw new Error("not a leader");
  return state.role.progress.get(2) as object;
}

describe("from one state to the next", () => {
  test("everything may stay, and everything may rise", () => {
    const state = soundState();
    const before = summarize(state);
    expect(() => checkTransition(before, state)).not.toThrow();
    state.vote = { term: 9, votedFor: null, committed: false };
    state.committed = id(3, 6);
    state.applied = id(2, 5);
    state.snapshot.lastLogId = id(2, 4);
    state.log.purge(id(1, 3));
    expect(() => checkTransition(before, state)).not.toThrow();
  });

  const faults: [rule: string, spoil: (state: EngineState) => void][] = [
    ["the vote never regresses", (state) => (state.vote = { ...state.vote, term: 3 })],
    ["the vote never regresses", (state) => (state.vote = { ...state.vote, votedFor: 3 })],
    ["the vote never regresses", (state) => (state.vote = { ...state.vote, votedFor: null })],
    ["committed never falls: 5 > 4", (state) => (state.committed = id(2, 4))],
    ["applied never falls: 3 > 2", (state) => (state.applied = id(1, 2))],
    ["snapshots never fall back: 2", (state) => (state.snapshot.lastLogId = id(1, 1))],
    ["committed entries stay", (state) => state.log.truncate(5)],
  ];

  test.each(faults)("%s", (rule, spoil) => {
    const state = soundState();
    const before = summarize(state);
    spoil(state);
    expect(() => checkTransition(before, state)).toThrow(rule);
  });

  test("purged never falls", () => {
    const state = soundState();
    expect(() => checkTransition({ ...summarize(state), purged: 2 }, state)).toThrow(
      "purged never falls: 2 > 1",
    );
  });

  test("nothing is applied while a snapshot is installed, and everything after", () => {
    const state = soundState();
    state.snapshot.installing = snapshotMeta(id(3, 6));
    const before = summarize(state);
    expect(() => checkTransition(before, state)).not.toThrow();
    state.dispatchedIndex = 5;
    expect(() => checkTransition(before, state)).toThrow(
      "nothing is applied while a snapshot is installed: 3, then 5",
    );
    state.snapshot.installing = null;
    expect(() => checkTransition(before, state)).not.toThrow();
  });

  test("a leader only appends", () => {
    const state = leadingState();
    state.log.extend(1, 3);
    const before = summarize(state);
    state.log.truncate(3);
    expect(() => checkTransition(before, state)).toThrow("a leader only appends");
    const deposed = { ...state, role: { type: "follower", leaderId: 2 } } as const;
    expect(() => checkTransition(before, deposed)).not.toThrow();
  });
});
