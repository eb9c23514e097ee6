/** Kinds of trouble that a run has, or has not: a run that has all of them hides what one of them alone would show. */
export const FEATURES = [
  "crashes",
  "crashesInDisk",
  "outages",
  "pauses",
  "clockJumps",
  "partitions",
  "flaps",
  "clogs",
  "swizzles",
  "badNetwork",
  "disks",
  "failedSyncs",
  "diskErrors",
  "badDisks",
  "fullDisks",
  "damage",
  "misdirectedWrites",
  "erasedDisks",
  "elections",
  "transfers",
  "compaction",
  "membership",
  "reusedIds",
  "moves",
  "bursts",
  "largeEntries",
] as const;

/** Kinds that came later. They are drawn last, so that a plan without them is what it was before they came. */
export const LATER_FEATURES = ["slowLinks", "broughtSnapshots"] as const;

/** Kinds that came after those, by a chance of their own for the same reason. */
export const LATEST_FEATURES = ["disasters", "rivalFoundings"] as const;

export type Feature = (typeof FEATURES | typeof LATER_FEATURES | typeof LATEST_FEATURES)[number];
