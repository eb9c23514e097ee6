import type { LogId } from "../log-id.js";
import { formatLogId } from "../log-id.js";
import { SeshatError } from "./seshat-error.js";
import { show } from "./show.js";

/** What storage was doing when it failed. */
export type StorageVerb =
  | "read identity"
  | "save identity"
  | "read vote"
  | "save vote"
  | "read log"
  | "append"
  | "truncate"
  | "purge"
  | "save committed"
  | "apply"
  | "read snapshot"
  | "build snapshot"
  | "receive snapshot"
  | "install snapshot";

/**
 * Storage failed or broke its contract. The node stops: what it wrote may or may not be there, and
 * trying again would only guess (a failed sync loses the pages it was for).
 */
export class StorageError extends SeshatError {
  override readonly code = "storage";
  readonly verb: StorageVerb;
  /** What went wrong. */
  readonly problem: string;

  constructor(verb: StorageVerb, problem: string, options?: ErrorOptions) {
    super(`storage failed to ${verb}: ${problem}`, options);
    this.verb = verb;
    this.problem = problem;
  }
}

/**
 * Storage has not answered for longer than `config.storageStallMs`. The node takes no part in elections, and does not lead, until it
 * does. What was refused was certainly not appended.
 */
export class StorageStalledError extends SeshatError {
  override readonly code = "storageStalled";
  /** What storage is at. */
  readonly verb: StorageVerb;

  constructor(verb: StorageVerb) {
    super(`storage of this node is stalled: it has been trying to ${verb} for too long; ask another node`);
    this.verb = verb;
  }
}

/** The store belongs to another node, or to another cluster. The node does not start, and nothing was changed. */
export class ForeignStoreError extends SeshatError {
  override readonly code = "foreignStore";
  /** What does not fit. */
  readonly field: "clusterId" | "nodeId";
  /** What the store says. */
  readonly found: string;
  /** What the node was started with. */
  readonly expected: string;

  constructor(field: "clusterId" | "nodeId", found: string, expected: string) {
    super(
      `this store belongs to ${field} ${show(found)}, and not to ${show(expected)}: start it with its own settings, or give the node an empty store`,
    );
    this.field = field;
    this.found = found;
    this.expected = expected;
  }
}

/** The snapshot is no newer than what is committed here, or contradicts it. Nothing was changed. */
export class SnapshotOutdatedError extends SeshatError {
  override readonly code = "snapshotOutdated";
  readonly snapshot: LogId;
  readonly committed: LogId;

  constructor(snapshot: LogId, committed: LogId) {
    super(
      `the snapshot ends at ${formatLogId(snapshot)}, but ${formatLogId(committed)} is committed here already`,
    );
    this.snapshot = snapshot;
    this.committed = committed;
  }
}
