/** What several rounds of one measure came to. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How far apart the rounds lie: the range as a share of the median; 0 for one round. */
  readonly spread: number;
}

/** Summarizes one measure over its rounds, of which there is at least one. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("there are no rounds to summarize");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  const min = sorted[0] as number;
  const max = sorted.at(-1) as number;
  return { median, min, max, spread: median === 0 ? 0 : (max - min) / median };
}

/** The median of `values`, of which there is at least one. */
export function median(values: readonly number[]): number {
  return summarize(values).median;
}
