import type { LogId, RaftTypeConfig, Snapshot, SnapshotMeta, StoredMembership } from "@seshat/common";
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
 * Takes in the content of a snapshot that comes from the leader, a piece at a time.
 *
 * Each call ends before the next begins. Pieces are never empty, and never pass the announced size together; a content of no bytes is
 * finished without any. The last call is `finish`, or `discard`, which may also follow on a call that failed.
 */
export interface SnapshotSink<S> {
  /** The next bytes, in order. The caller may use the memory of `chunk` again once the call ends: copy it, or write it away. */
  write(chunk: Uint8Array): MaybePromise<void>;
  /**
   * Everything has come. It need not be durable yet.
   *
   * @returns the content, to be installed. That may come to nothing: see {@link RaftStateMachine.receiveSnapshot}.
   * @throws {StorageError} when something is missing.
   */
  finish(): MaybePromise<S>;
  /** It is given up: the rest will not come. Nothing of it is kept. */
  discard(): MaybePromise<void>;
}

/**
 * The state machine of one node: the half of storage that holds the application's data. It is served
 * beside the log half, never in step with it.
 *
 * Rules, for whoever implements it:
 * - The result depends on the entries alone: no clock, configuration, randomness or iteration order.
 * - The last applied log id, the membership and the sessions are saved atomically with the data, and all are in
 *   its snapshots. What was applied need not be durable: a restart applies again what comes after the last applied entry that it finds.
 * - A snapshot is durable once `buildSnapshot` or `installSnapshot` has ended, for then the log behind it is purged. A
 *   restart finds it. The state that it finds may be behind it (kept only in memory, or not written out yet): then that very
 *   snapshot is installed before anything is applied.
 * - `apply`, `snapshotBuilder` and `installSnapshot` are called one at a time. Beside them, and beside each other, one
 *   snapshot is built and one received. A build that began before an installation may end after it.
 * - One that keeps no sessions answers `SessionRefusal("unsupported")` to the opening of one, and to its commands.
 * - A command that makes no sense gets a response that says so. A throw stops the node, with two exceptions: after a `CodecError` of
 *   `installSnapshot` the node goes on, for the content is to blame; and a snapshot that cannot be read for a follower, or
 *   discarded, is only logged.
 */
export interface RaftStateMachine<C extends RaftTypeConfig> {
  /** How far this state machine has come; a state machine kept only in memory starts from nothing. */
  readAppliedState(): MaybePromise<AppliedState<C["Node"]>>;

  /**
   * Applies committed entries, consecutive and in order. Entries at or below the last applied are
   * skipped; entries that carry no command advance the last applied log id too. A command that its session
   * carried out before is not applied again, and gets the response of that time.
   *
   * Entries that take long need not all be applied in one call: what is left out is given again, from the first of it on, once timers and sockets have had their turn.
   *
   * @returns one item for each entry that was applied, the first at least: the response to a normal entry, undefined for an entry of another kind or a
   *   skipped one, a {@link SessionRefusal} where a session could not be used or opened.
   * @throws {StorageError} when an entry between the last applied and these is missing.
   */
  apply(entries: readonly C["Entry"][]): MaybePromise<readonly ApplyResponse<C["R"]>[]>;

  /** Captures the state of this moment for a snapshot. Applies go on while the snapshot is built. */
  snapshotBuilder(): MaybePromise<RaftSnapshotBuilder<C>>;

  /**
   * The newest snapshot, built or installed, or null.
   *
   * Its content can be read, from any offset and any number of times, for as long as somebody holds it, also when a newer one
   * has taken its place: it may be on its way to a follower. Nobody says when it is no longer held. A store of files keeps a replaced
   * one open until the object that reads it is collected, or leaves it where it is until the next start.
   */
  readCurrentSnapshot(): MaybePromise<Snapshot<C["SnapshotData"], C["Node"]> | null>;

  /**
   * Makes room for a snapshot from the leader, beside applies; the current snapshot stands until the new one is installed.
   *
   * One is received at a time. When the next is, the one before it has been installed or discarded, or it was finished and
   * is not needed any more: what is left of it can be removed. The same holds at a start: what was received and not installed
   * is never asked for after a crash; the leader sends it again from the beginning.
   *
   * @param meta what the snapshot stands for, as the leader says: nothing is decided by it yet.
   * @param size the length of the whole content in bytes, as the leader says, within the node's bound.
   */
  receiveSnapshot(meta: SnapshotMeta<C["Node"]>, size: number): MaybePromise<SnapshotSink<C["SnapshotData"]>>;

  /**
   * Replaces the state by the content of `snapshot`, which becomes the current snapshot: content, last applied entry,
   * membership, sessions and current snapshot, all of them or none. After a failure at any step, a crash too, the old state
   * and snapshot stand. It is durable when the call ends.
   *
   * The content may have come by a sink of this store or from anywhere else, and may be that of the current snapshot itself (see the
   * rules). Whoever holds it can go on reading it.
   *
   * @param pause lets timers and sockets have their turn: to be awaited every few milliseconds of work.
   * @throws {CodecError} when the content is damaged.
   * @throws {StorageError} when the snapshot is older than what is applied.
   */
  installSnapshot(
    snapshot: Snapshot<C["SnapshotData"], C["Node"]>,
    pause: () => Promise<void>,
  ): MaybePromise<void>;
}
