import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID, ZERO_VOTE } from "@seshat/common";
import { DEFAULT_SWITCHES } from "../../src/engine/context.js";
import { LogTrail } from "../../src/engine/log-trail.js";
import type { EngineState } from "../../src/engine/state.js";

/** The state of a new node, with some parts replaced. */
export function engineState(parts: Partial<EngineState> = {}): EngineState {
  return {
    id: 1,
    incarnation: 0,
    vote: ZERO_VOTE,
    role: { type: "learner", leaderId: null },
    log: new LogTrail(),
    memberships: [EMPTY_STORED_MEMBERSHIP],
    committed: ZERO_LOG_ID,
    dispatchedIndex: 0,
    applied: ZERO_LOG_ID,
    io: { issued: 0, persisted: 0, outstanding: [], durableIndex: 0 },
    snapshot: {
      lastLogId: ZERO_LOG_ID,
      building: false,
      requests: [],
      bytesSince: 0,
      installing: null,
      installRequest: null,
      purgeUpto: 0,
    },
    electionDeadline: 0,
    quorumLost: false,
    abstainUntil: Number.NEGATIVE_INFINITY,
    leaderContact: Number.NEGATIVE_INFINITY,
    appendSeq: 0,
    transfer: null,
    stalled: null,
    switches: DEFAULT_SWITCHES,
    ...parts,
  };
}
