import type { LogId } from "./log-id.js";
import type { StoredMembership } from "./membership.js";
import type { BasicNode } from "./node.js";

/**
 * The content of a snapshot: a stream of byte chunks that can be read again from any offset, so that
 * one snapshot serves several followers and an interrupted transfer resumes. Nothing requires the
 * whole of it to be in memory at once.
 */
export interface SnapshotData {
  /** The length of the whole content in bytes. */
  readonly size: number;
  /**
   * Reads from byte `offset` (0 to `size`) to the end, in chunks of whatever length suits the source.
   *
   * @throws {InvalidValueError} when the offset is outside the content.
   */
  read(offset: number): AsyncIterable<Uint8Array>;
  /**
   * True where each chunk is all of an `ArrayBuffer` that nobody else holds. Who sends it on may then detach that once it was sent: its memory is free at
   * once, and not when garbage is collected, which in a large process takes longer than to send it. Default: chunks are left as they are.
   */
  readonly givesChunksAway?: boolean;
}

/** What a snapshot stands for (Raft paper section 7). */
export interface SnapshotMeta<N = BasicNode> {
  /** The last entry whose effect the content holds. */
  readonly lastLogId: LogId;
  /** The membership in force at `lastLogId`, and the entry that brought it. */
  readonly lastMembership: StoredMembership<N>;
  /** Tells two snapshots at one log id apart while they are transferred. */
  readonly snapshotId: string;
}

/** A snapshot: its meaning and its content. */
export interface Snapshot<S = SnapshotData, N = BasicNode> {
  readonly meta: SnapshotMeta<N>;
  readonly data: S;
}
