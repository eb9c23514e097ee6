/** How a simulated disk behaves. Rates are shares from 0 to 1, drawn for each call. */
export interface SimDiskFaults {
  /** How long a sync takes at least, in milliseconds. Default 0.1. */
  readonly syncMs: number;
  /** What a sync takes on top, on average (exponential), in milliseconds. Default 0.3. */
  readonly meanSyncMs: number;
  /** The share of syncs, of files and of the directory, that take a hundred times as long. Default 0. */
  readonly slowRate: number;
  /** The share of reads that fail. Default 0. */
  readonly readErrorRate: number;
  /** The share of writes and truncations that fail, having done nothing. Default 0. */
  readonly writeErrorRate: number;
  /** The share of renames and removals that fail, having done nothing. Default 0. */
  readonly renameErrorRate: number;
  /**
   * The share of syncs, of files and of the directory, that fail. What was written to a file is lost then, or all but a beginning of it,
   * whatever is synced later: it can be read until the machine goes down. Default 0.
   */
  readonly syncErrorRate: number;
  /** The share of writes that write only a part, and say so. Default 0. */
  readonly shortWriteRate: number;
  /** The share of writes that end up at another place, in any file, and claim to have worked. Default 0. */
  readonly misdirectedWriteRate: number;
  /** The share of files torn by a crash whose tail is zeros or garbage instead of nothing. Default 0.5. */
  readonly junkTailRate: number;
  /** How many bytes all files together can have. Default 64 MiB. */
  readonly capacityBytes: number;
}

export const NO_DISK_FAULTS: SimDiskFaults = Object.freeze({
  syncMs: 0.1,
  meanSyncMs: 0.3,
  slowRate: 0,
  readErrorRate: 0,
  writeErrorRate: 0,
  renameErrorRate: 0,
  syncErrorRate: 0,
  shortWriteRate: 0,
  misdirectedWriteRate: 0,
  junkTailRate: 0.5,
  capacityBytes: 64 * 1024 * 1024,
});

/** What a simulated disk did to its node. */
export type DiskFault =
  | "slowSync"
  | "hungSync"
  | "failedSync"
  | "failedRead"
  | "failedWrite"
  | "failedRename"
  | "failedOther"
  | "diskFull"
  | "shortWrite"
  | "misdirectedWrite"
  | "corruption"
  | "processCrash"
  | "machineCrash"
  | "unsyncedLost"
  | "unsyncedKept"
  | "unsyncedTorn"
  | "zeroTail"
  | "garbageTail"
  | "nameLost"
  | "nameKept";

/** How often which fault happened. */
export type DiskFaultCounts = Readonly<Record<DiskFault, number>>;

export function noFaultCounts(): Record<DiskFault, number> {
  return {
    slowSync: 0,
    hungSync: 0,
    failedSync: 0,
    failedRead: 0,
    failedWrite: 0,
    failedRename: 0,
    failedOther: 0,
    diskFull: 0,
    shortWrite: 0,
    misdirectedWrite: 0,
    corruption: 0,
    processCrash: 0,
    machineCrash: 0,
    unsyncedLost: 0,
    unsyncedKept: 0,
    unsyncedTorn: 0,
    zeroTail: 0,
    garbageTail: 0,
    nameLost: 0,
    nameKept: 0,
  };
}
