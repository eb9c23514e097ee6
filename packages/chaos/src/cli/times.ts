/** Several times of one thing, rounded to milliseconds. */
export interface Times {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  /** Nearest rank: of fewer than a hundred it is the longest. */
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** @returns null of nothing. */
export function timesOf(values: readonly number[]): Times | null {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length;
  if (count === 0) return null;
  const at = (index: number): number => Math.round(sorted[index] as number);
  return {
    count,
    minMs: at(0),
    medianMs: at(Math.floor(count / 2)),
    p99Ms: at(Math.ceil(count * 0.99) - 1),
    maxMs: at(count - 1),
  };
}

/** For people: least, median, p99 and most. */
export function showTimes(times: Times | null): string {
  return times === null
    ? "-"
    : [times.minMs, times.medianMs, times.p99Ms, times.maxMs].map(String).join(" / ");
}
