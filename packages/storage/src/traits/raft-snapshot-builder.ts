import type { RaftTypeConfig, Snapshot } from "@seshat/common";
import type { MaybePromise } from "./maybe-promise.js";

/** Builds one snapshot of the state as it was when the builder was made, while applies go on. */
export interface RaftSnapshotBuilder<C extends RaftTypeConfig> {
  /**
   * Builds the snapshot and keeps it as the current one, in place of an older one. It carries the
   * log id and membership of the state it was made from. It is durable when the call ends. One that ends after a newer
   * snapshot was installed does not take its place.
   *
   * @param pause lets timers and sockets have their turn: to be awaited every few milliseconds of work, so that a node
   *   that builds a large snapshot goes on leading, or hearing from its leader.
   */
  buildSnapshot(pause: () => Promise<void>): MaybePromise<Snapshot<C["SnapshotData"], C["Node"]>>;
}
