import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { RaftConfig } from "./config.js";
import { DEFAULT_RAFT_CONFIG, checkTimeoutMs, engineConfig, makeRaftConfig } from "./config.js";

function refused(overrides: Record<string, unknown>): InvalidValueError {
  try {
    makeRaftConfig(overrides);
  } catch (error) {
    if (error instanceof InvalidValueError) return error;
    throw error;
  }
  return expect.unreachable(`${JSON.stringify(overrides)} was accepted`);
}

describe("the settings of a node", () => {
  test("without any, the defaults stand, and they pass their own checks", () => {
    expect(makeRaftConfig()).toEqual(DEFAULT_RAFT_CONFIG);
    expect(makeRaftConfig({})).toEqual(DEFAULT_RAFT_CONFIG);
  });

  test("the defaults are the documented ones", () => {
    expect(DEFAULT_RAFT_CONFIG).toEqual({
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
      maxPayloadBytes: 1_048_576,
      maxInFlightBytes: 4_194_304,
      backoffMinMs: 20,
      backoffMaxMs: 100,
      maxApplyEntries: 4096,
      logCacheEntries: 4096,
      maxPendingRequests: 16384,
      maxPendingBytes: 67_108_864,
      maxUncommittedEntries: 65536,
      snapshotPolicy: { type: "logsSinceLast", entries: 5000 },
      maxInSnapshotLogToKeep: 1000,
      maxLogToKeepForFollowers: 20_000,
      snapshotChunkBytes: 262_144,
      snapshotTimeoutMs: 10_000,
      maxSnapshotBytes: 1_099_511_627_776,
      replicationLagThreshold: 5000,
      storageStallMs: 1000,
    });
  });

  test("what is given replaces the default, and what is given as undefined does not", () => {
    const overrides = { heartbeatIntervalMs: 10, preVote: undefined } as unknown as Partial<RaftConfig>;
    expect(makeRaftConfig(overrides)).toEqual({ ...DEFAULT_RAFT_CONFIG, heartbeatIntervalMs: 10 });
  });

  test("they are fixed once made", () => {
    expect(Object.isFrozen(makeRaftConfig({ preVote: false }))).toBe(true);
  });

  test.each([
    "electionTimeoutMinMs",
    "electionTimeoutMaxMs",
    "heartbeatIntervalMs",
    "backoffMinMs",
    "backoffMaxMs",
    "maxClockDriftMs",
    "snapshotTimeoutMs",
    "storageStallMs",
  ])("config.%s is refused by its name unless it is a time that a timer can hold", (field) => {
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "100", null, {}]) {
      expect(refused({ [field]: value }).field, JSON.stringify(value)).toBe(`config.${field}`);
    }
  });

  test.each([
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
  ])("config.%s is refused by its name unless it is an integer of at least 1", (field) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1", null]) {
      expect(refused({ [field]: value }).field, JSON.stringify(value)).toBe(`config.${field}`);
    }
    expect(makeRaftConfig({ [field]: 1 })).toMatchObject({ [field]: 1 });
  });

  test("followers wait for entries no longer than a heartbeat interval", () => {
    const delay = (thriftyDelayMs: number): number =>
      engineConfig(makeRaftConfig({ thriftyDelayMs, heartbeatIntervalMs: 40 })).thriftyDelayMs;
    expect([0, 39, 41, 100_000].map(delay)).toEqual([0, 39, 40, 40]);
  });

  test.each([
    "thriftyDelayMs",
    "maxInSnapshotLogToKeep",
    "maxLogToKeepForFollowers",
    "replicationLagThreshold",
  ])("config.%s may be 0, and nothing below", (field) => {
    expect(makeRaftConfig({ [field]: 0 })).toMatchObject({ [field]: 0 });
    for (const value of [-1, 0.5, "0", null])
      expect(refused({ [field]: value }).field).toBe(`config.${field}`);
  });

  test("config.clusterId is a text of 1 to 64 characters", () => {
    for (const value of ["", "x".repeat(65), 7, null])
      expect(refused({ clusterId: value }).field).toBe("config.clusterId");
    for (const clusterId of ["x", "x".repeat(64)])
      expect(makeRaftConfig({ clusterId })).toMatchObject({ clusterId });
  });

  test.each(["preVote", "leaderLease"])("config.%s is true or false", (field) => {
    for (const value of [0, 1, "true", null])
      expect(refused({ [field]: value }).field).toBe(`config.${field}`);
    for (const value of [true, false])
      expect(makeRaftConfig({ [field]: value })).toMatchObject({ [field]: value });
  });

  test.each<[unknown, string]>([
    [null, "config.snapshotPolicy"],
    ["never", "config.snapshotPolicy"],
    [{}, "config.snapshotPolicy"],
    [{ type: "always" }, "config.snapshotPolicy"],
    [{ type: "logsSinceLast" }, "config.snapshotPolicy"],
    [{ type: "logsSinceLast", bytes: 0 }, "config.snapshotPolicy.bytes"],
    [{ type: "logsSinceLast", entries: 5, bytes: "1" }, "config.snapshotPolicy.bytes"],
    [{ type: "logsSinceLast", entries: 0, bytes: 5 }, "config.snapshotPolicy.entries"],
    [{ type: "logsSinceLast", entries: 0 }, "config.snapshotPolicy.entries"],
    [{ type: "logsSinceLast", entries: 1.5 }, "config.snapshotPolicy.entries"],
  ])("the snapshot policy %j is refused as %s", (snapshotPolicy, field) => {
    expect(refused({ snapshotPolicy }).field).toBe(field);
  });

  test("both snapshot policies are accepted", () => {
    expect(makeRaftConfig({ snapshotPolicy: { type: "never" } }).snapshotPolicy).toEqual({ type: "never" });
    const often = { type: "logsSinceLast", entries: 1 } as const;
    expect(makeRaftConfig({ snapshotPolicy: often }).snapshotPolicy).toEqual(often);
  });

  test.each<[Partial<RaftConfig>, string]>([
    [{ electionTimeoutMinMs: 300, electionTimeoutMaxMs: 300 }, "config.electionTimeoutMaxMs"],
    [{ electionTimeoutMinMs: 400 }, "config.electionTimeoutMaxMs"],
    [{ heartbeatIntervalMs: 150 }, "config.heartbeatIntervalMs"],
    [{ backoffMinMs: 50, backoffMaxMs: 40 }, "config.backoffMaxMs"],
    [{ backoffMaxMs: 150 }, "config.backoffMaxMs"],
    [{ maxClockDriftMs: 150 }, "config.maxClockDriftMs"],
  ])("settings that do not fit together are refused: %j", (overrides, field) => {
    expect(refused(overrides).field).toBe(field);
  });

  test("a field that does not exist is refused by its name, with those that do", () => {
    const error = refused({ electionTimeout: 150 });
    expect(error.field).toBe("config.electionTimeout");
    expect(error.message).toContain("electionTimeoutMinMs");
    expect(refused({ toString: 1 }).field).toBe("config.toString");
  });

  test("a timeout is above 0 and within what a timer can hold", () => {
    expect(checkTimeoutMs("t", 0.5)).toBe(0.5);
    expect(checkTimeoutMs("t", 2 ** 31 - 1)).toBe(2 ** 31 - 1);
    for (const value of [0, 2 ** 31, Number.NaN, undefined])
      expect(() => checkTimeoutMs("t", value)).toThrow(/^t is /);
  });
});
