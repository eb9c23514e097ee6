import { SeshatError } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import type { Failure } from "./outcome.js";

/** After these nothing was appended, and nothing was read: what was asked for has no effect, now or later. */
const CERTAIN: ReadonlySet<string> = new Set([
  "notLeader",
  "quorumNotEnough",
  "transferInProgress",
  "storageStalled",
  "overloaded",
  "shutdown",
  "stopped",
  "unreachable",
  "foreignNode",
  "invalidValue",
]);

/** Tells what certainly was not done from what may have been. What nobody has thought of may have been. */
export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const certain = error instanceof SeshatError && CERTAIN.has(error.code);
  if (!certain) return { type: "unknown", error };
  return error.code === "invalidValue"
    ? { type: "refused", error, isFinal: true }
    : { type: "refused", error };
}

/** The reply to a write that failed. Its first word says whether it may take effect. */
export function writeFailure({ type, error }: Failure): RespValue {
  const code = error instanceof SeshatError ? error.code : "internal";
  if (type === "unknown") {
    return code === "timeout"
      ? { type: "error", message: `TIMEOUT the outcome is unknown: ${error.message}, and it may still` }
      : { type: "error", message: `UNKNOWN the outcome is unknown: ${reasonOf(error)}` };
  }
  switch (code) {
    case "quorumNotEnough":
      return {
        type: "error",
        message: "NOQUORUM The write was not made: the leader has lost touch with the majority",
      };
    case "overloaded":
      return { type: "error", message: `TRYAGAIN The write was not made: ${error.message}` };
    case "storageStalled":
      return { type: "error", message: `TRYAGAIN The write was not made: ${error.message}` };
    case "invalidValue":
      return { type: "error", message: `ERR the write was not made: ${error.message}` };
    default:
      return { type: "error", message: "CLUSTERDOWN The write was not made: the cluster has no leader" };
  }
}

/** The reply to a read that failed: it has no effect in any case. */
export function readFailure({ error }: Failure): RespValue {
  const code = error instanceof SeshatError ? error.code : "internal";
  switch (code) {
    case "quorumNotEnough":
      return { type: "error", message: "CLUSTERDOWN The leader has lost touch with the majority" };
    case "overloaded":
    case "storageStalled":
      return { type: "error", message: `TRYAGAIN ${error.message}` };
    case "timeout":
    case "notLeader":
    case "unreachable":
    case "transferInProgress":
    case "unknownOutcome":
    case "shutdown":
    case "stopped":
      return { type: "error", message: "CLUSTERDOWN The cluster has no leader" };
    default:
      return { type: "error", message: `ERR the read failed: ${error.message}` };
  }
}

function reasonOf(error: Error): string {
  return error.message.replace(/^the outcome of the write is unknown: /, "");
}
