import type { AsyncRuntime, Logger, NodeId, Tracer } from "@seshat/common";
import { checkInteger, checkNodeId } from "@seshat/common";
import type { RaftConfig } from "@seshat/raft";
import type { OperationLimits } from "@seshat/storage";
import { checkLimits, refuseUnknownFields } from "./check-options.js";

/** How a single-node cluster is set up. Every field may be left out. */
export interface SingleNodeClusterOptions {
  /** The id of the node. Default: 1. */
  readonly nodeId?: NodeId;
  /** Settings of the engine: timeouts, snapshot policy, log kept behind a snapshot. Default: those of `RaftNode`. */
  readonly config?: Partial<RaftConfig>;
  /** The largest keys, values and numbers of keys. Default: 256 bytes, 64 KiB, 1024 keys. */
  readonly limits?: Partial<OperationLimits>;
  /** How long starting and restarting may take until the node leads, in milliseconds, at least 1. Default: 10,000. */
  readonly startTimeoutMs?: number;
  /** Clock, timers and randomness. Default: those of the machine. */
  readonly runtime?: AsyncRuntime;
  /** Receives the log records of the node. Default: they are discarded. */
  readonly logger?: Logger;
  /** Receives the spans of the node. Default: none are made. */
  readonly tracer?: Tracer;
}

/** Options with every default filled in. */
export interface CheckedSingleNodeOptions {
  readonly nodeId: NodeId;
  readonly limits: OperationLimits;
  readonly startTimeoutMs: number;
  /** What is passed on to `RaftNode`, which checks the engine's settings itself. */
  readonly forNode: Pick<SingleNodeClusterOptions, "config" | "runtime" | "logger" | "tracer">;
}

const FIELDS: ReadonlySet<string> = new Set([
  "nodeId",
  "config",
  "limits",
  "startTimeoutMs",
  "runtime",
  "logger",
  "tracer",
] satisfies (keyof SingleNodeClusterOptions)[]);

const DEFAULT_START_TIMEOUT_MS = 10_000;

/**
 * Checks options and fills in the defaults.
 *
 * @throws {InvalidValueError} that names the field, e.g. `"options.limits.maxKeyBytes"`; also for a field that
 *   does not exist, which is most often a misspelt one.
 */
export function checkSingleNodeOptions(options: SingleNodeClusterOptions): CheckedSingleNodeOptions {
  refuseUnknownFields("options", options, FIELDS);
  const limits = checkLimits(options.limits ?? {});
  const { config, runtime, logger, tracer } = options;
  return {
    nodeId: checkNodeId("options.nodeId", options.nodeId ?? 1),
    limits,
    startTimeoutMs: checkInteger(
      "options.startTimeoutMs",
      options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS,
      1,
    ),
    forNode: {
      ...(config === undefined ? {} : { config }),
      ...(runtime === undefined ? {} : { runtime }),
      ...(logger === undefined ? {} : { logger }),
      ...(tracer === undefined ? {} : { tracer }),
    },
  };
}
