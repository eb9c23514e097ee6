import type { DiskVerb } from "../disk/disk.js";
import type { SimDiskFaults } from "../disk/sim-disk-faults.js";
import type { NetworkFaults } from "../network/network-faults.js";
import type { CrashKind, StorePart } from "../world/node-storage.js";

/** Which node an action is for, found when it happens: the leader, or by a number from 0 to 1 among those that it can be for. */
export type Target = "leader" | number;

/**
 * Who is cut off from whom. `isolate`: one from all. `split`: some from the others. `leaderInMinority`: one and one more from the others.
 * `oneWay`: one cannot be heard, or cannot hear. `ring`: each reaches only its two neighbours. `bridge`: only one reaches both halves.
 */
export type PartitionKind = "isolate" | "split" | "leaderInMinority" | "oneWay" | "ring" | "bridge";

/** What is done to nodes and their clocks. Times are in milliseconds. */
type NodeAct =
  /** Default of `what`, here and below: the machine goes down, and what was not synced is lost. */
  | { readonly type: "crash"; readonly target: Target; readonly what?: CrashKind }
  | { readonly type: "crashAll"; readonly what?: CrashKind }
  | { readonly type: "restart"; readonly target: number }
  /** Crashes, and does not come back for so long. */
  | { readonly type: "outage"; readonly target: Target; readonly ms: number }
  /** Crashes between two calls to its disk: at the `operations`-th from now on. */
  | {
      readonly type: "crashInDisk";
      readonly target: Target;
      readonly operations: number;
      readonly what: CrashKind;
    }
  /** Crashes, starts again, and crashes at the `operations`-th call to its disk, while it recovers or soon after. */
  | {
      readonly type: "crashInRecovery";
      readonly target: Target;
      readonly operations: number;
      readonly what: CrashKind;
    }
  /** Its process stands still; then all that became due happens at once. */
  | { readonly type: "pause"; readonly target: Target; readonly ms: number }
  /** Its clock leaps ahead of all others, and its timers with it. */
  | { readonly type: "jump"; readonly target: Target; readonly ms: number };

/** What is done to the network. */
type NetworkAct =
  | {
      readonly type: "partition";
      readonly kind: PartitionKind;
      readonly target: Target;
      readonly second: number;
    }
  | { readonly type: "heal" }
  /** A partition that comes and goes `times` times, each time for `everyMs`. */
  | {
      readonly type: "flap";
      readonly kind: PartitionKind;
      readonly target: Target;
      readonly second: number;
      readonly everyMs: number;
      readonly times: number;
    }
  | { readonly type: "clog"; readonly target: Target; readonly second: number; readonly ms: number }
  /**
   * Nodes are clogged one after another, and released in another order ("swizzle"). By position among the nodes: `clogged`, in which order
   * (those from 0.5 on are spared), and `released`.
   */
  | {
      readonly type: "swizzle";
      readonly clogged: readonly number[];
      readonly released: readonly number[];
      readonly gapMs: number;
    }
  /**
   * For `ms`, whatever is sent to it takes `slowerMs` longer: it hears late, and is heard in time. After `muteAfterMs` nothing arrives any more that
   * it sends; null for never.
   */
  | {
      readonly type: "slowLinks";
      readonly target: Target;
      readonly slowerMs: number;
      readonly muteAfterMs: number | null;
      readonly ms: number;
    }
  | { readonly type: "network"; readonly faults: NetworkFaults };

/** What is done to disks. */
export type DiskAct =
  | { readonly type: "hangDisk"; readonly target: Target; readonly ms: number }
  | { readonly type: "slowDisk"; readonly target: Target; readonly syncMs: number }
  | { readonly type: "failSync"; readonly target: Target }
  /** The next call of this kind fails. */
  | { readonly type: "failDisk"; readonly target: Target; readonly verb: DiskVerb }
  /** The disk behaves so for a while. */
  | {
      readonly type: "badDisk";
      readonly target: Target;
      readonly faults: Partial<SimDiskFaults>;
      readonly ms: number;
    }
  /** Only `roomBytes` more fit, for a while. */
  | { readonly type: "fullDisk"; readonly target: Target; readonly roomBytes: number; readonly ms: number }
  /** A byte of a voter's files goes bad. After `ms` the node crashes, and has to notice by then. */
  | {
      readonly type: "corrupt";
      readonly target: number;
      readonly part: StorePart;
      readonly ms: number;
      readonly what: CrashKind;
    }
  /** The next write of a voter ends up somewhere else in its files. After `ms` the node crashes, and has to notice by then. */
  | {
      readonly type: "misdirect";
      readonly target: number;
      readonly ms: number;
      readonly what: CrashKind;
    }
  /** A voter's disk is gone: it becomes a new member under its old id. */
  | { readonly type: "erase"; readonly target: number };

/** What an operator does. */
export type OperatorAct =
  | { readonly type: "addVoter" }
  | { readonly type: "addLearner" }
  | { readonly type: "demote"; readonly target: Target }
  | { readonly type: "remove"; readonly target: Target }
  | { readonly type: "replace"; readonly picks: readonly number[] }
  /** A node that was removed loses its disk, and is added again under its id. */
  | { readonly type: "reuse"; readonly target: number }
  /** A node crashes and comes back under another address, which the membership is told. */
  | { readonly type: "move"; readonly target: Target };

/** Something that is done to the cluster at a moment. */
export type Act =
  | NodeAct
  | NetworkAct
  | DiskAct
  | OperatorAct
  | { readonly type: "elect"; readonly target: number }
  | { readonly type: "transfer"; readonly target: number }
  | { readonly type: "snapshot"; readonly target: Target }
  /** All nodes but one lose their stores for good. That one has all that was promised, and an operator recovers it. */
  | { readonly type: "disaster"; readonly target: number }
  /** Purges the log up to the newest snapshot. */
  | { readonly type: "purge"; readonly target: Target }
  /** Takes a snapshot, and then purges everything that it covers. */
  | { readonly type: "compact"; readonly target: Target }
  /** Brings the newest snapshot of one node to another, by hand, `ms` after it was taken from there. */
  | { readonly type: "bringSnapshot"; readonly from: number; readonly target: Target; readonly ms: number }
  | { readonly type: "load"; readonly thinkMs: number }
  /** Many writes at once that nobody waits for. Where they cannot be committed they make a log long that is not to win. */
  | { readonly type: "flood"; readonly target: Target; readonly writes: number };

/** The acts of some types. */
export type ActOf<T extends Act["type"]> = Extract<Act, { readonly type: T }>;

export interface Action {
  /** Virtual milliseconds from the start. */
  readonly at: number;
  readonly act: Act;
}

/** Every kind of act, for the coverage table. */
export const ACT_TYPES: readonly Act["type"][] = [
  "crash",
  "crashAll",
  "restart",
  "outage",
  "crashInDisk",
  "crashInRecovery",
  "pause",
  "jump",
  "partition",
  "heal",
  "flap",
  "clog",
  "swizzle",
  "slowLinks",
  "network",
  "hangDisk",
  "slowDisk",
  "failSync",
  "failDisk",
  "badDisk",
  "fullDisk",
  "corrupt",
  "misdirect",
  "erase",
  "addVoter",
  "addLearner",
  "demote",
  "remove",
  "replace",
  "reuse",
  "move",
  "elect",
  "transfer",
  "snapshot",
  "purge",
  "compact",
  "bringSnapshot",
  "disaster",
  "load",
  "flood",
];
