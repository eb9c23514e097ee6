import type { AsyncRuntime } from "./async-runtime.js";
import type { LogEntry } from "./log-entry.js";
import type { BasicNode, NodeId } from "./node.js";
import type { SnapshotData } from "./snapshot.js";

/**
 * The types an application chooses, carried as the one type parameter `C` of storage, network and
 * node: `C["D"]` is its command, `C["R"]` its response. Nothing of it exists at run time.
 *
 * Most applications write `TypeConfig<MyCommand, MyResponse>` and are done.
 */
export interface RaftTypeConfig {
  /** Names a member. */
  readonly NodeId: NodeId;
  /** Describes a member, usually its address. */
  readonly Node: unknown;
  /** A command of the application, as it stands in the log. */
  readonly D: unknown;
  /** What applying a command answers. */
  readonly R: unknown;
  /** A log entry of this configuration. */
  readonly Entry: LogEntry<unknown, unknown>;
  /** The content of a snapshot. */
  readonly SnapshotData: SnapshotData;
  /** The clock, timers and randomness. */
  readonly AsyncRuntime: AsyncRuntime;
}

/** The type configuration of an application with commands `D`, responses `R` and nodes `N`. */
export interface TypeConfig<D, R, N = BasicNode> extends RaftTypeConfig {
  readonly Node: N;
  readonly D: D;
  readonly R: R;
  readonly Entry: LogEntry<D, N>;
}
