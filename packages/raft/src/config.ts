import { InvalidValueError, checkInteger } from "@seshat/common";
import type { EngineConfig } from "./engine/context.js";
import type { EngineSwitches } from "./engine/event.js";

/** When a snapshot is taken by itself. */
export type SnapshotPolicy =
  /**
   * Once this many entries, or commands of this many bytes (by `sizeOf`), were applied since the last snapshot, whichever comes
   * first. One of the two may be left out. Bytes are counted from the start of the node.
   */
  | { readonly type: "logsSinceLast"; readonly entries?: number; readonly bytes?: number }
  /** Only when asked for. */
  | { readonly type: "never" };

/** The settings of one node. Times are in milliseconds. */
export interface RaftConfig {
  /**
   * Names the cluster, the same on all its nodes: a node refuses the messages, and the store, of another one. 1 to 64 characters.
   * Default `"seshat"`.
   */
  readonly clusterId: string;
  /** The least time without a leader before a voter stands for election. Default 150. */
  readonly electionTimeoutMinMs: number;
  /** The most; each wait is drawn anew between the two. Default 300. */
  readonly electionTimeoutMaxMs: number;
  /** How often a leader is heard from when there is nothing to replicate. Below the election timeout. Default 50. */
  readonly heartbeatIntervalMs: number;
  /** Ask whether an election would be won before disturbing the cluster with one (Raft thesis section 9.6). Default true. */
  readonly preVote: boolean;
  /**
   * Serve reads that ask for it by the leader's lease, without asking a quorum. All nodes of a cluster must agree on it, and on
   * `electionTimeoutMinMs`: a leader counts on its own, and a follower elects another after its own. To change that one, turn leases off on all
   * nodes first. A node that restarts elects nobody for the longest election timeout. Default false.
   */
  readonly leaderLease: boolean;
  /**
   * How far apart the clocks of two nodes may run during an election timeout. Below electionTimeoutMinMs. A process that is paused does no
   * harm, but a clock that stands still while its machine does (suspended, or moved as a virtual machine) keeps no bound. Default 10.
   */
  readonly maxClockDriftMs: number;
  /**
   * Entries go at once to as many followers as make a quorum, and to the others after this time, many in one message, or after a heartbeat
   * interval where that is shorter; 0 sends to all at once. Default 10.
   */
  readonly thriftyDelayMs: number;
  /** Entries in one AppendEntries request. Default 4096: what bounds a message is mostly `maxPayloadBytes`. */
  readonly maxPayloadEntries: number;
  /** AppendEntries requests with entries on their way to one follower. Default 16. */
  readonly maxInFlightAppends: number;
  /** Bytes of entries in one AppendEntries request; a larger entry goes alone. Default 1 MiB. */
  readonly maxPayloadBytes: number;
  /**
   * Bytes of entries on their way to one follower, 128 for each beside its command; heartbeats do not count. What a follower that catches up holds in
   * memory grows with it. Entries get a millisecond longer to be answered for
   * each 1024 of these bytes: for links of less than 1 MiB a second set both bounds lower. Default 4 MiB.
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
  /**
   * Entries that a leader keeps behind its snapshot, beyond `maxInSnapshotLogToKeep`, while a follower that answers
   * still needs them; one that is further behind is sent the snapshot. Default 20,000.
   */
  readonly maxLogToKeepForFollowers: number;
  /** Bytes of one part of a snapshot on its way to a follower. Default 256 KiB. */
  readonly snapshotChunkBytes: number;
  /** A snapshot on its way to a follower is given up when it makes no progress for this long. Default 10,000. */
  readonly snapshotTimeoutMs: number;
  /** The largest snapshot that is received, in bytes. Default 2^40. */
  readonly maxSnapshotBytes: number;
  /** A learner that is further behind than this many entries does not become a voter. Default 5000. */
  readonly replicationLagThreshold: number;
  /**
   * When storage has not ended a call for this long, the node steps down and takes no part in elections until it has.
   * Building, receiving and installing snapshots may take longer: what does not get on there for `snapshotTimeoutMs` is only told. Default 1000.
   */
  readonly storageStallMs: number;
}

/** The settings of a node whose application says nothing. */
export const DEFAULT_RAFT_CONFIG: RaftConfig = Object.freeze({
  clusterId: "seshat",
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatIntervalMs: 50,
  preVote: true,
  leaderLease: false,
  maxClockDriftMs: 10,
  thriftyDelayMs: 10,
  maxPayloadEntries: 4096,
  maxInFlightAppends: 16,
  maxPayloadBytes: 1024 * 1024,
  maxInFlightBytes: 4 * 1024 * 1024,
  backoffMinMs: 20,
  backoffMaxMs: 100,
  maxApplyEntries: 4096,
  logCacheEntries: 4096,
  maxPendingRequests: 16384,
  maxPendingBytes: 64 * 1024 * 1024,
  maxUncommittedEntries: 65536,
  snapshotPolicy: Object.freeze({ type: "logsSinceLast", entries: 5000 }),
  maxInSnapshotLogToKeep: 1000,
  maxLogToKeepForFollowers: 20_000,
  snapshotChunkBytes: 256 * 1024,
  snapshotTimeoutMs: 10_000,
  maxSnapshotBytes: 2 ** 40,
  replicationLagThreshold: 5000,
  storageStallMs: 1000,
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
  for (const field of COUNTS_OR_NONE) checkInteger(`config.${field}`, config[field], 0);
  for (const field of ["snapshotTimeoutMs", "storageStallMs"] as const) checkMs(field);
  checkClusterId(config.clusterId);
  checkSnapshotPolicy("config.snapshotPolicy", config.snapshotPolicy);
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
  "snapshotChunkBytes",
  "maxSnapshotBytes",
] as const satisfies readonly (keyof RaftConfig)[];

/** Fields that count something, or nothing; milliseconds too. */
const COUNTS_OR_NONE = [
  "thriftyDelayMs",
  "maxInSnapshotLogToKeep",
  "maxLogToKeepForFollowers",
  "replicationLagThreshold",
] as const satisfies readonly (keyof RaftConfig)[];

const MAX_CLUSTER_ID_LENGTH = 64;

function checkClusterId(clusterId: unknown): void {
  if (typeof clusterId !== "string" || clusterId.length < 1 || clusterId.length > MAX_CLUSTER_ID_LENGTH) {
    throw new InvalidValueError(
      "config.clusterId",
      clusterId,
      `a text of 1 to ${MAX_CLUSTER_ID_LENGTH} characters`,
    );
  }
}

/** @throws {InvalidValueError} that names the part of `field` that is wrong. */
export function checkSnapshotPolicy(field: string, policy: SnapshotPolicy): void {
  if (policy?.type === "logsSinceLast") {
    if (policy.entries !== undefined) checkInteger(`${field}.entries`, policy.entries, 1);
    if (policy.bytes !== undefined) checkInteger(`${field}.bytes`, policy.bytes, 1);
    if (policy.entries !== undefined || policy.bytes !== undefined) return;
  } else if (policy?.type === "never") return;
  throw new InvalidValueError(
    field,
    policy,
    '{ type: "logsSinceLast" } with entries or bytes or both, or { type: "never" }',
  );
}

/** What the engine needs to know of the settings. */
export function engineConfig(config: RaftConfig): EngineConfig {
  return {
    electionTimeoutMinMs: config.electionTimeoutMinMs,
    electionTimeoutMaxMs: config.electionTimeoutMaxMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    leaseMs: config.leaderLease ? config.electionTimeoutMinMs - config.maxClockDriftMs : null,
    thriftyDelayMs: Math.min(config.thriftyDelayMs, config.heartbeatIntervalMs),
    maxPayloadEntries: config.maxPayloadEntries,
    maxInFlightAppends: config.maxInFlightAppends,
    maxUncommittedEntries: config.maxUncommittedEntries,
    backoffMinMs: config.backoffMinMs,
    backoffMaxMs: config.backoffMaxMs,
    logsToKeep: config.maxInSnapshotLogToKeep,
    logsToKeepForFollowers: config.maxLogToKeepForFollowers,
    lagThreshold: config.replicationLagThreshold,
  };
}

/** How the switches of a node stand when it starts. */
export function engineSwitches({ preVote, snapshotPolicy }: RaftConfig): EngineSwitches {
  return { tick: true, heartbeat: true, elect: true, preVote, ...snapshotSwitches(snapshotPolicy) };
}

/** The switches that a snapshot policy comes to. */
export function snapshotSwitches(
  policy: SnapshotPolicy,
): Pick<EngineSwitches, "snapshotAfterEntries" | "snapshotAfterBytes"> {
  if (policy.type === "never") return { snapshotAfterEntries: null, snapshotAfterBytes: null };
  return { snapshotAfterEntries: policy.entries ?? null, snapshotAfterBytes: policy.bytes ?? null };
}
