import type { Command } from "./command.js";
import type { EngineSwitches } from "./event.js";
import type { EngineState } from "./state.js";

/** What the engine needs to know of the configuration; `raft.ts` documents and checks each field. */
export interface EngineConfig {
  readonly electionTimeoutMinMs: number;
  readonly electionTimeoutMaxMs: number;
  readonly heartbeatIntervalMs: number;
  /** How long a leader may serve reads after a quorum was heard from; null when leases are off. */
  readonly leaseMs: number | null;
  /** How long followers that a quorum does not need may wait for entries; 0 for not at all. */
  readonly thriftyDelayMs: number;
  readonly maxPayloadEntries: number;
  readonly maxInFlightAppends: number;
  /** Entries that a leader appends beyond the commit index. */
  readonly maxUncommittedEntries: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly logsToKeep: number;
  /** Entries that are kept beyond `logsToKeep` while a follower that answers needs them. */
  readonly logsToKeepForFollowers: number;
  /** A learner that lacks more entries than this is not made a voter. */
  readonly lagThreshold: number;
}

/** A node that nobody has changed anything of. */
export const DEFAULT_SWITCHES: EngineSwitches = Object.freeze({
  tick: true,
  heartbeat: true,
  elect: true,
  preVote: true,
  snapshotAfterEntries: null,
  snapshotAfterBytes: null,
});

/** What a handler works with during one step. */
export interface Context {
  readonly config: EngineConfig;
  readonly state: EngineState;
  /** The time of this step, on the runtime's monotonic clock, in milliseconds. */
  now: number;
  /** A number from 0 to below 1, for election timeouts. */
  readonly random: () => number;
  /** The commands of this step, in order. */
  out: Command[];
  /** True when a deadline of this leader may be earlier than it was when somebody last asked: `Engine.nextDeadline`. */
  deadlineMoved: boolean;
}
