import type { LogId, RaftTypeConfig, Snapshot, StoredMembership } from "@seshat/common";
import type { SessionRefusal } from "../sessions/session-refusal.js";
import type { MaybePromise } from "./maybe-promise.js";
import type { RaftSnapshotBuilder } from "./raft-snapshot-builder.js";

/** How far a state machine has come. */
export interface AppliedState<N> {
  /** The last entry applied, of any kind; `ZERO_LOG_ID` for a new state machine. */
  readonly lastAppliedLogId: LogId;
  /** The last membership applied. */
  readonly lastMembership: StoredMembership<N>;
}

/**
 * What applying an entry answers: the response to a command; a refusal to a command whose session does not allow it,
 * and to the opening of a session that cannot be; undefined for all other entries.
 */
export type ApplyResponse<R> = R | SessionRefusal | undefined;

/**
 * The state machine of one node: the half of storage that holds the application's data. It is served
 * beside the log half, never in step with it.
 *
 * Rules, for whoever implements it:
 * - The result depends on the entries alone: no clock, configuration, randomness or iteration order.
 * - The last applied log id, the membership and the sessions are saved atomically with the data, and all are in
 *   its snapshots.
 * - One that keeps no sessions answers `SessionRefusal("unsupported")` to the opening of one, and to its commands.
 * - A command that makes no sense gets a response that says so. A throw stops the node.
 */
export interface RaftStateMachine<C extends RaftTypeConfig> {
  /** How far this state machine has come; a state machine kept only in memory starts from nothing. */
  readAppliedState(): MaybePromise<AppliedState<C["Node"]>>;

  /**
   * Applies committed entries, consecutive and in order. Entries at or below the last applied are
   * skipped; entries that carry no command advance the last applied log id too. A command that its session
   * carried out before is not applied again, and gets the response of that time.
   *
   * @returns one item for each entry: the response to a normal entry, undefined for an entry of another kind or a
   *   skipped one, a {@link SessionRefusal} where a session could not be used or opened.
   * @throws {StorageError} when an entry between the last applied and these is missing.
   */
  apply(entries: readonly C["Entry"][]): MaybePromise<readonly ApplyResponse<C["R"]>[]>;

  /** Captures the state of this moment for a snapshot. Applies go on while the snapshot is built. */
  snapshotBuilder(): MaybePromise<RaftSnapshotBuilder<C>>;

  /** The newest snapshot, built or installed, or null. */
  readCurrentSnapshot(): MaybePromise<Snapshot<C["SnapshotData"], C["Node"]> | null>;

  /**
   * Replaces the state by the content of `snapshot`, which becomes the current snapshot. Atomic: after a
   * failure at any step the old state and snapshot stand.
   *
   * @throws {CodecError} when the content is damaged.
   */
  installSnapshot(snapshot: Snapshot<C["SnapshotData"], C["Node"]>): MaybePromise<void>;
}
