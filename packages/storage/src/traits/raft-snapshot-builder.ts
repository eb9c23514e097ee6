import type { RaftTypeConfig, Snapshot } from "@seshat/common";
import type { MaybePromise } from "./maybe-promise.js";

/** Builds one snapshot of the state as it was when the builder was made, while applies go on. */
export interface RaftSnapshotBuilder<C extends RaftTypeConfig> {
  /**
   * Builds the snapshot and keeps it as the current one, in place of an older one. It carries the
   * log id and membership of the state it was made from.
   */
  buildSnapshot(): MaybePromise<Snapshot<C["SnapshotData"], C["Node"]>>;
}
