import { describe, expect, test } from "vitest";
import { engineState } from "../../test/support/engine-state.js";
import { logId, voters } from "../../test/support/values.js";
import { LogTrail } from "../engine/log-trail.js";
import { newProgress } from "../engine/progress.js";
import { DEFAULT_SWITCHES } from "../engine/context.js";
import type { EngineState, LeaderRole } from "../engine/state.js";
import { computeMetrics } from "./metrics.js";
import type { Surroundings } from "./metrics.js";

const PROGRESS = { offset: 40, size: 100 };

/** A node that runs, at time 25. */
function around(parts: Partial<Surroundings> = {}): Surroundings {
  return {
    now: 25,
    stopped: false,
    stopCause: null,
    snapshotStalled: null,
    refusedTerms: 0,
    // Also of one that has it already, for a moment.
    snapshotProgress: () => PROGRESS,
    ...parts,
  };
}

function leaderRole(): LeaderRole {
  return {
    type: "leader",
    firstIndex: 6,
    since: 0,
    progress: new Map([
      [
        2,
        {
          ...newProgress(8, 0),
          mode: "pipeline",
          matchIndex: 7,
          inFlight: [{ seq: 1, prevIndex: 7, upto: 9, round: 0, sentAt: 5 }],
          ackedSentAt: 10,
        },
      ],
      [3, { ...newProgress(8, 0), mode: "snapshot" }],
    ]),
    reads: [],
    round: 0,
    askRestAt: Number.POSITIVE_INFINITY,
    restAt: Number.POSITIVE_INFINITY,
    change: null,
    leaseForfeited: false,
  };
}

function leader(): EngineState {
  const parts = engineState();
  return engineState({
    incarnation: 77,
    vote: { term: 3, votedFor: 1, committed: true },
    role: leaderRole(),
    log: new LogTrail(logId(1, 2), logId(3, 9), [{ term: 3, firstIndex: 3 }]),
    memberships: [
      { logId: logId(0, 1), membership: voters(1) },
      { logId: logId(1, 2), membership: voters(1, 2, 3) },
    ],
    committed: logId(3, 7),
    applied: logId(3, 6),
    snapshot: { ...parts.snapshot, lastLogId: logId(2, 4) },
    transfer: { requestId: 1, target: 2, deadline: 100, term: 3, asked: false },
    stalled: "append",
  });
}

describe("metrics", () => {
  test("say where a leader stands, and how far it has brought each follower", () => {
    expect(computeMetrics(leader(), around())).toEqual({
      id: 1,
      incarnation: 77,
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
        [2, { matchIndex: 7, lag: 2, inFlight: 1, mode: "pipeline", snapshot: null, sinceLastAckMs: 15 }],
        [
          3,
          { matchIndex: 0, lag: 9, inFlight: 0, mode: "snapshot", snapshot: PROGRESS, sinceLastAckMs: null },
        ],
      ]),
      sinceQuorumAckMs: 15,
      transferTarget: 2,
      storageStalled: "append",
      snapshotStalled: null,
      refusedTerms: 0,
      switches: DEFAULT_SWITCHES,
      stopCause: null,
    });
  });

  test("the age of a belief: 0 for a sole voter, null before a quorum answered, and never below 0", () => {
    const sole = { ...leader(), memberships: [{ logId: logId(0, 1), membership: voters(1) }] };
    expect(computeMetrics(sole, around()).sinceQuorumAckMs).toBe(0);
    const fresh = leader();
    if (fresh.role.type === "leader") fresh.role.progress.set(2, newProgress(8, 0));
    expect(computeMetrics(fresh, around()).sinceQuorumAckMs).toBeNull();
    expect(computeMetrics(leader(), around({ now: 9 }))).toMatchObject({ sinceQuorumAckMs: 0 });
  });

  test("a follower knows its leader and replicates to nobody; a candidate knows none", () => {
    const follower = computeMetrics(engineState({ role: { type: "follower", leaderId: 2 } }), around());
    expect(follower).toMatchObject({
      state: "follower",
      currentLeader: 2,
      replication: null,
      sinceQuorumAckMs: null,
      transferTarget: null,
      storageStalled: null,
      snapshotStalled: null,
      refusedTerms: 0,
    });
    const candidate = computeMetrics(
      engineState({ role: { type: "candidate", granted: new Set(), ownVoteIo: 1 } }),
      around(),
    );
    expect(candidate).toMatchObject({ state: "candidate", currentLeader: null });
  });

  test("a node that has stopped leads nobody and knows of no leader, and says why", () => {
    const cause = new Error("disk");
    expect(computeMetrics(leader(), around({ stopped: true, stopCause: cause }))).toMatchObject({
      state: "stopped",
      currentLeader: null,
      replication: null,
      sinceQuorumAckMs: null,
      transferTarget: null,
      stopCause: cause,
      lastLogId: logId(3, 9),
    });
  });

  test("are a picture of one moment: what happens later does not show", () => {
    const state = leader();
    const metrics = computeMetrics(state, around());
    const picture = structuredClone(metrics);
    state.applied = logId(3, 7);
    state.log.extend(3, 10);
    state.memberships.push({ logId: logId(3, 10), membership: voters(1) });
    state.switches = { ...state.switches, tick: false };
    state.transfer = null;
    const { role } = state;
    if (role.type === "leader") {
      Object.assign(role.progress.get(2) as object, { matchIndex: 9, inFlight: [] });
      role.progress.delete(3);
    }
    expect(metrics).toEqual(picture);
  });
});
