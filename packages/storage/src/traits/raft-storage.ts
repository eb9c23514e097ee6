import type { LogId, RaftTypeConfig, StoredMembership, StoreIdentity, Vote } from "@seshat/common";
import type { MaybePromise } from "./maybe-promise.js";
import type { RaftLogReader } from "./raft-log-reader.js";

/** Where a log begins and ends. */
export interface LogState {
  /** The last entry that was purged; `ZERO_LOG_ID` when none was. Never forgotten, even when the log is empty. */
  readonly lastPurgedLogId: LogId;
  /** The last entry of the log; equal to `lastPurgedLogId` when everything was purged. */
  readonly lastLogId: LogId;
}

/**
 * Reports that a write became durable (`error` is null), or failed and the node must stop. Called
 * exactly once for each write, during the call or any time after it.
 */
export type IoCompletion = (error: Error | null) => void;

/**
 * The vote and the log of one node: the half of storage that makes promises durable.
 *
 * Rules, for whoever implements it:
 * - The caller makes one call at a time and waits for its return. Writes take effect in that order, and
 *   become durable in that order: a later write is never durable without an earlier one.
 * - The log has no holes. Indexes rise by one from `lastPurgedLogId.index + 1` on.
 * - Any throw or failed completion stops the node. There is no retry.
 * - What a node finds at its start it takes for durable: it acknowledges, and counts, entries without writing them again. The process before may
 *   have ended between a write and its sync, and then the system still holds what a power failure takes: a store syncs what it
 *   found before it is read.
 */
export interface RaftStorage<C extends RaftTypeConfig> extends RaftLogReader<C> {
  /** Whose store this is; null when no node ever started on it. It is asked before anything else is. */
  readIdentity(): MaybePromise<StoreIdentity | null>;

  /**
   * Marks a new store as that of a node, once and for ever. It is durable when the call ends, and nothing else is written before
   * that: a store that holds anything has an identity.
   *
   * It stands for the state machine's half too. The halves are copied, moved and erased together: an identity that outlives
   * the vote or the log passes a store off as one that remembers what it promised.
   *
   * @throws {StorageError} when the store has an identity already.
   */
  saveIdentity(identity: StoreIdentity): MaybePromise<void>;

  /** Reads where the log begins and ends. */
  readLogState(): MaybePromise<LogState>;

  /** A reader that can be used beside this writer. */
  logReader(): RaftLogReader<C>;

  /** Saves the vote. It is durable when the call ends. */
  saveVote(vote: Vote): MaybePromise<void>;

  /**
   * Appends `entries` (at least one), which follow directly on the last entry.
   *
   * When the call ends the entries can be read; when `completion` is called they are durable. The
   * caller goes on writing in between, so that one sync can serve several appends.
   *
   * @throws {StorageError} when the entries would leave a hole or overwrite what is there.
   */
  append(entries: readonly C["Entry"][], completion: IoCompletion): MaybePromise<void>;

  /** Removes every entry from index `since` on, `since` included. It is durable when the call ends. */
  truncate(since: number): MaybePromise<void>;

  /**
   * Removes every entry up to `upto`, `upto` included, and remembers it as `lastPurgedLogId`. It may lie
   * past the last entry (a snapshot was installed): then the log is empty and goes on after it. A log id
   * at or below `lastPurgedLogId` changes nothing. It is durable when the call ends, and in one piece: after a crash the log begins where it
   * did before, or after `upto`, and never has a hole.
   *
   * The caller purges only what a snapshot holds that is durable in the state machine.
   */
  purge(upto: LogId): MaybePromise<void>;

  /**
   * Saves how far the log is known to be committed: a hint that spares a restarted node some waiting. It
   * need not be durable, and may be left out.
   */
  saveCommitted?(committed: LogId): MaybePromise<void>;

  /** The last hint saved, or null. */
  readCommitted?(): MaybePromise<LogId | null>;

  /**
   * Finds the memberships among the entries from index `since` to index `upto`, both inclusive, in order, and checks that all of these entries are there. A
   * node that starts looks for them in all that it has not applied. May be left out: then it reads these entries, one and all.
   *
   * @throws {StorageError} when an entry of the range is missing.
   */
  readMemberships?(since: number, upto: number): MaybePromise<readonly StoredMembership<C["Node"]>[]>;
}
