import type { Command } from "./command.js";
import type { EngineState } from "./state.js";

/** What the engine needs to know of the configuration; `raft.ts` documents and checks each field. */
export interface EngineConfig {
  readonly electionTimeoutMinMs: number;
  readonly electionTimeoutMaxMs: number;
  readonly heartbeatIntervalMs: number;
  readonly preVote: boolean;
  /** How long a leader may serve reads after a quorum was heard from; null when leases are off. */
  readonly leaseMs: number | null;
  readonly maxPayloadEntries: number;
  readonly maxInFlightAppends: number;
  /** Entries that a leader appends beyond the commit index. */
  readonly maxUncommittedEntries: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Entries applied since the last snapshot that call for the next; null for never. */
  readonly snapshotAfterEntries: number | null;
  readonly logsToKeep: number;
}

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
}
