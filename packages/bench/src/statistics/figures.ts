import type { BenchResult, Column } from "../bench.js";
import type { Round } from "../load/closed-loop.js";
import { count, micros, percent } from "./cells.js";
import { median, summarize } from "./summary.js";

/** A figure as it is printed: no digits that mean nothing, and never 0 for what is only small. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The medians of rounds. */
export function roundFigures(rounds: readonly Round[]): {
  readonly perSec: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUs: number;
  readonly spread: number;
} {
  const perSec = summarize(rounds.map(({ perSecond }) => perSecond));
  return {
    perSec: Math.round(perSec.median),
    p50Us: rounded(median(rounds.map(({ p50Us }) => p50Us))),
    p99Us: rounded(median(rounds.map(({ p99Us }) => p99Us))),
    cpuUs: rounded(median(rounds.map(({ cpuUsPerOperation }) => cpuUsPerOperation))),
    spread: rounded(perSec.spread),
  };
}

/**
 * The figures of writes whose rounds were interleaved with those of the promise limit: medians, and the share of the limit from
 * each pair of neighbours.
 */
export function shareFigures(limit: readonly Round[], raft: readonly Round[]): BenchResult {
  const { perSec, p50Us, p99Us, cpuUs, spread } = roundFigures(raft);
  const share = summarize(ratios(raft, limit, ({ perSecond }) => perSecond));
  const cpuShare = median(ratios(limit, raft, ({ cpuUsPerOperation }) => cpuUsPerOperation));
  return {
    putsPerSec: perSec,
    p50Us,
    p99Us,
    shareOfLimit: rounded(share.median),
    shareMin: rounded(share.min),
    shareMax: rounded(share.max),
    cpuShareOfLimit: rounded(cpuShare),
    limitPerSec: roundFigures(limit).perSec,
    cpuUsPerPut: cpuUs,
    rounds: raft.length,
    spread,
  };
}

/** The fields of {@link shareFigures} by which checkouts are compared. */
export const SHARE_COMPARED: readonly string[] = ["putsPerSec", "shareOfLimit", "cpuShareOfLimit", "p99Us"];

/** The columns of {@link shareFigures}. */
export const SHARE_COLUMNS: readonly Column[] = [
  count("puts/s", "putsPerSec"),
  percent("of limit", "shareOfLimit"),
  percent("least", "shareMin"),
  percent("most", "shareMax"),
  percent("of limit, CPU", "cpuShareOfLimit"),
  count("limit/s", "limitPerSec"),
  micros("p50 us", "p50Us"),
  micros("p99 us", "p99Us"),
  micros("CPU us/put", "cpuUsPerPut"),
  percent("spread", "spread"),
];

/** What one measure of each round is of that of its neighbour. */
export function ratios(
  above: readonly Round[],
  below: readonly Round[],
  measure: (round: Round) => number,
): number[] {
  return above.map((round, i) => measure(round) / measure(below[i] as Round));
}
