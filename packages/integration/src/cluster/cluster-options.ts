import type { AsyncRuntime, Logger, NodeId, Tracer } from "@seshat/common";
import { InvalidValueError, checkInteger } from "@seshat/common";
import type { RaftConfig } from "@seshat/raft";
import type { StateMachine } from "@seshat/storage";
import { checkTimeoutMs, refuseUnknownFields } from "../check-options.js";

/** How a cluster is set up. */
export interface ClusterOptions<D, R, M> {
  /** How many nodes to begin with, 1 to 9; their ids are 1, 2, 3 and so on. Default 3. */
  readonly nodes?: number;
  /** Makes the state machine of one node. It must have a `responseCodec`, because clients write through sessions. */
  readonly stateMachine: (id: NodeId) => M & StateMachine<D, R>;
  /** Settings of every node. Default: those of `Raft`. */
  readonly config?: Partial<RaftConfig>;
  /** How long a read, a write or a change of the members may take, over all attempts, in milliseconds, 1 to 2^31 - 1. Default 10,000. */
  readonly timeoutMs?: number;
  /** The clock, timers and randomness of a node, or of the network and the clients (`null`). Default: the machine's. */
  readonly runtime?: (id: NodeId | null) => AsyncRuntime;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: none. */
  readonly tracer?: Tracer;
  /** Check the invariants of Raft after every step of every node. Default false; for tests. */
  readonly checkInvariants?: boolean;
}

const FIELDS: ReadonlySet<string> = new Set([
  "nodes",
  "stateMachine",
  "config",
  "timeoutMs",
  "runtime",
  "logger",
  "tracer",
  "checkInvariants",
] satisfies (keyof ClusterOptions<unknown, unknown, unknown>)[]);

/** The most nodes of a cluster: a larger quorum makes nothing safer and everything slower. */
export const MAX_NODES = 9;
const DEFAULT_NODES = 3;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Checks options and fills in the defaults. What belongs to the nodes, they check themselves.
 *
 * @throws {InvalidValueError} that names the field, e.g. `"options.nodes"`; also for a field that does not exist.
 */
export function checkClusterOptions<D, R, M>(
  options: ClusterOptions<D, R, M>,
): { readonly nodes: number; readonly timeoutMs: number } {
  refuseUnknownFields("options", options, FIELDS);
  const nodes = checkInteger("options.nodes", options.nodes ?? DEFAULT_NODES, 1);
  if (nodes > MAX_NODES) {
    throw new InvalidValueError("options.nodes", nodes, `an integer from 1 to ${MAX_NODES}`);
  }
  if (typeof options.stateMachine !== "function") {
    throw new InvalidValueError("options.stateMachine", options.stateMachine, "a function");
  }
  return { nodes, timeoutMs: checkTimeoutMs("options.timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS) };
}

/** @throws {InvalidValueError} when clients could have no sessions with it. */
export function checkStateMachine<D, R>(stateMachine: StateMachine<D, R>): void {
  if (stateMachine.responseCodec !== undefined) return;
  throw new InvalidValueError(
    "options.stateMachine().responseCodec",
    undefined,
    "a codec of responses: clients write through sessions, which keep them",
  );
}
