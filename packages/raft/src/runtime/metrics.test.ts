import { describe, expect, test } from "vitest";
import { engineState } from "../../test/support/engine-state.js";
import { logId, voters } from "../../test/support/values.js";
import { LogTrail } from "../engine/log-trail.js";
import { newProgress } from "../engine/progress.js";
import type { EngineState, LeaderRole } from "../engine/state.js";
import { computeMetrics } from "./metrics.js";

function leaderRole(): LeaderRole {
  return {
    type: "leader",
    firstIndex: 6,
    since: 0,
    progress: new Map([
      [
        2,
        {
          ...newProgress(8),
          matchIndex: 7,
          inFlight: [{ seq: 1, prevIndex: 7, upto: 9, round: 0, sentAt: 5 }],
        },
      ],
      [3, newProgress(8)],
    ]),
    reads: [],
    round: 0,
  };
}

function leader(): EngineState {
  return engineState({
    vote: { term: 3, votedFor: 1, committed: true },
    role: leaderRole(),
    log: new LogTrail(logId(1, 2), logId(3, 9), [{ term: 3, firstIndex: 3 }]),
    memberships: [
      { logId: logId(0, 1), membership: voters(1) },
      { logId: logId(1, 2), membership: voters(1, 2, 3) },
    ],
    committed: logId(3, 7),
    applied: logId(3, 6),
    snapshot: { lastLogId: logId(2, 4), building: false, requests: [] },
  });
}

describe("metrics", () => {
  test("say where a leader stands, and how far it has brought each follower", () => {
    expect(computeMetrics(leader(), false, null)).toEqual({
      id: 1,
      state: "leader",
      term: 3,
      vote: { term: 3, votedFor: 1, committed: true },
      lastLogId: logId(3, 9),
      committed: logId(3, 7),
      lastApplied: logId(3, 6),
      snapshot: logId(2, 4),
      purged: logId(1, 2),
      currentLeader: 1,
      membership: { logId: logId(1, 2), membership: voters(1, 2, 3) },
      replication: new Map([
        [2, { matchIndex: 7, inFlight: 1 }],
        [3, { matchIndex: 0, inFlight: 0 }],
      ]),
      stopCause: null,
    });
  });

  test("a follower knows its leader and replicates to nobody; a candidate knows none", () => {
    const follower = computeMetrics(engineState({ role: { type: "follower", leaderId: 2 } }), false, null);
    expect(follower).toMatchObject({ state: "follower", currentLeader: 2, replication: null });
    const candidate = computeMetrics(
      engineState({ role: { type: "candidate", granted: new Set(), ownVoteIo: 1 } }),
      false,
      null,
    );
    expect(candidate).toMatchObject({ state: "candidate", currentLeader: null });
  });

  test("a node that has stopped leads nobody and knows of no leader, and says why", () => {
    const cause = new Error("disk");
    expect(computeMetrics(leader(), true, cause)).toMatchObject({
      state: "stopped",
      currentLeader: null,
      replication: null,
      stopCause: cause,
      lastLogId: logId(3, 9),
    });
  });

  test("are a picture of one moment: what happens later does not show", () => {
    const state = leader();
    const metrics = computeMetrics(state, false, null);
    state.applied = logId(3, 7);
    const { role } = state;
    if (role.type === "leader") role.progress.delete(3);
    expect(metrics.lastApplied).toEqual(logId(3, 6));
    expect(metrics.replication?.size).toBe(2);
  });
});
