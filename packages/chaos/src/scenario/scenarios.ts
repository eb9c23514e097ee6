import { clockOff } from "./clocks.js";
import {
  cascadingFailures,
  followerKilled,
  fullRestart,
  leaderKilled,
  leaderKilledDuringWrites,
  leaderPaused,
} from "./crashes.js";
import { compaction, replaceNodes, rollingRestart } from "./maintenance.js";
import { asymmetricPartition, isolatedLeader, latency, deafLeader, partition } from "./partitions.js";
import type { Scenario } from "./scenario.js";

/** The matrix, in the order in which one cluster goes through it. */
export const SCENARIOS: readonly Scenario[] = [
  leaderKilled,
  followerKilled,
  partition,
  asymmetricPartition,
  isolatedLeader,
  deafLeader,
  leaderPaused,
  cascadingFailures,
  leaderKilledDuringWrites,
  fullRestart,
  compaction,
  rollingRestart,
  clockOff,
  replaceNodes,
  latency,
];
