import { InvalidValueError, checkInteger } from "@seshat/common";

/** When a snapshot is taken by itself. */
export type SnapshotPolicy =
  /** Once this many entries were applied since the last snapshot. */
  | { readonly type: "logsSinceLast"; readonly entries: number }
  /** Only when asked for. */
  | { readonly type: "never" };

/** The settings of one node. Times are in milliseconds. */
export interface RaftConfig {
  /** The least time without a leader before a voter stands for election. Default 150. */
  readonly electionTimeoutMinMs: number;
  /** The most; each wait is drawn anew between the two. Default 300. */
  readonly electionTimeoutMaxMs: number;
  /** How often a leader is heard from when there is nothing to replicate. Below the election timeout. Default 50. */
  readonly heartbeatIntervalMs: number;
  /** Ask whether an election would be won before disturbing the cluster with one (Raft thesis section 9.6). Default true. */
  readonly preVote: boolean;
  /**
   * Serve reads that ask for it by the leader's lease, without asking a quorum. All nodes of a cluster must agree on it: a
   * node that restarts then elects nobody for the longest election timeout. Default false.
   */
  readonly leaderLease: boolean;
  /** How far apart the clocks of two nodes may run during an election timeout. Below electionTimeoutMinMs. Default 10. */
  readonly maxClockDriftMs: number;
  /** Entries in one AppendEntries request. Default 300. */
  readonly maxPayloadEntries: number;
  /** AppendEntries requests with entries on their way to one follower. Default 16. */
  readonly maxInFlightAppends: number;
  /** Bytes of entries in one AppendEntries request; a larger entry goes alone. Default 1 MiB. */
  readonly maxPayloadBytes: number;
  /**
   * Bytes of entries on their way to one follower; heartbeats do not count. Entries get a millisecond longer to be answered for
   * each 1024 of these bytes: for links of less than 1 MiB a second set both bounds lower. Default 8 MiB.
   */
  readonly maxInFlightBytes: number;
  /** The first pause after a peer did not answer; it doubles with each further failure. Default 20. */
  readonly backoffMinMs: number;
  /** The longest such pause. Below the election timeout, so that a peer that returns is found in time. Default 100. */
  readonly backoffMaxMs: number;
  /** Entries handed to the state machine in one call. Default 4096. */
  readonly maxApplyEntries: number;
  /** Recent entries kept in memory for applying and replicating. Default 4096. */
  readonly logCacheEntries: number;
  /** Writes and reads that may wait at once; one more is refused with `OverloadedError`. Default 16384. */
  readonly maxPendingRequests: number;
  /** Bytes of commands that may wait at once, by the application's own measure. Default 64 MiB. */
  readonly maxPendingBytes: number;
  /** Entries that a leader appends beyond what is committed; writes past that are refused with `OverloadedError`. Default 65536. */
  readonly maxUncommittedEntries: number;
  /** Default every 5000 entries. */
  readonly snapshotPolicy: SnapshotPolicy;
  /** Entries kept in the log behind a snapshot, for followers that are a little late. Default 1000. */
  readonly maxInSnapshotLogToKeep: number;
}

/** The settings of a node whose application says nothing. */
export const DEFAULT_RAFT_CONFIG: RaftConfig = Object.freeze({
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatIntervalMs: 50,
  preVote: true,
  leaderLease: false,
  maxClockDriftMs: 10,
  maxPayloadEntries: 300,
  maxInFlightAppends: 16,
  maxPayloadBytes: 1024 * 1024,
  maxInFlightBytes: 8 * 1024 * 1024,
  backoffMinMs: 20,
  backoffMaxMs: 100,
  maxApplyEntries: 4096,
  logCacheEntries: 4096,
  maxPendingRequests: 16384,
  maxPendingBytes: 64 * 1024 * 1024,
  maxUncommittedEntries: 65536,
  snapshotPolicy: Object.freeze({ type: "logsSinceLast", entries: 5000 }),
  maxInSnapshotLogToKeep: 1000,
});

/** The longest timeout: what every timer can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Checks a time that a timer is to wait for.
 *
 * @throws {InvalidValueError} that names `field`.
 */
export function checkTimeoutMs(field: string, value: unknown): number {
  if (typeof value !== "number" || !(value > 0) || value > MAX_TIMEOUT_MS) {
    throw new InvalidValueError(field, value, "a time in milliseconds above 0 and below 2^31");
  }
  return value;
}

/**
 * Fills in defaults and checks every field.
 *
 * @throws {InvalidValueError} that names the field, e.g. `config.heartbeatIntervalMs`; an unknown field is one too.
 */
export function makeRaftConfig(overrides: Partial<RaftConfig> = {}): RaftConfig {
  for (const field of Object.keys(overrides)) {
    if (!Object.hasOwn(DEFAULT_RAFT_CONFIG, field)) {
      throw new InvalidValueError(
        `config.${field}`,
        "set",
        `one of ${Object.keys(DEFAULT_RAFT_CONFIG).join(", ")}`,
      );
    }
  }
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  const config: RaftConfig = { ...DEFAULT_RAFT_CONFIG, ...Object.fromEntries(given) };

  const checkMs = (field: keyof RaftConfig): number => checkTimeoutMs(`config.${field}`, config[field]);
  const min = checkMs("electionTimeoutMinMs");
  const max = checkMs("electionTimeoutMaxMs");
  if (max <= min) {
    throw new InvalidValueError(
      "config.electionTimeoutMaxMs",
      max,
      `above electionTimeoutMinMs (${min}), so that voters do not all stand at once`,
    );
  }
  const heartbeat = checkMs("heartbeatIntervalMs");
  if (heartbeat >= min) {
    throw new InvalidValueError(
      "config.heartbeatIntervalMs",
      heartbeat,
      `below electionTimeoutMinMs (${min}), so that followers hear from their leader in time`,
    );
  }
  const backoffMin = checkMs("backoffMinMs");
  const backoffMax = checkMs("backoffMaxMs");
  if (backoffMax < backoffMin || backoffMax >= min) {
    throw new InvalidValueError(
      "config.backoffMaxMs",
      backoffMax,
      `at least backoffMinMs (${backoffMin}) and below electionTimeoutMinMs (${min})`,
    );
  }
  for (const field of ["preVote", "leaderLease"] as const) {
    if (typeof config[field] !== "boolean")
      throw new InvalidValueError(`config.${field}`, config[field], "true or false");
  }
  const drift = checkMs("maxClockDriftMs");
  if (drift >= min) {
    throw new InvalidValueError(
      "config.maxClockDriftMs",
      drift,
      `below electionTimeoutMinMs (${min}), or no lease would ever hold`,
    );
  }
  for (const field of COUNTS) checkInteger(`config.${field}`, config[field], 1);
  checkInteger("config.maxInSnapshotLogToKeep", config.maxInSnapshotLogToKeep, 0);
  checkSnapshotPolicy(config.snapshotPolicy);
  return Object.freeze(config);
}

/** Fields that count something, at least 1. */
const COUNTS = [
  "maxPayloadEntries",
  "maxInFlightAppends",
  "maxPayloadBytes",
  "maxInFlightBytes",
  "maxApplyEntries",
  "logCacheEntries",
  "maxPendingRequests",
  "maxPendingBytes",
  "maxUncommittedEntries",
] as const satisfies readonly (keyof RaftConfig)[];

function checkSnapshotPolicy(policy: SnapshotPolicy): void {
  if (policy?.type === "logsSinceLast") {
    checkInteger("config.snapshotPolicy.entries", policy.entries, 1);
  } else if (policy?.type !== "never") {
    throw new InvalidValueError(
      "config.snapshotPolicy",
      policy,
      '{ type: "logsSinceLast", entries } or { type: "never" }',
    );
  }
}
