import type { ScenarioReport } from "../scenario/run-scenario.js";
import type { Times } from "./times.js";
import { showTimes, timesOf } from "./times.js";

/** What a scenario came to in all rounds. */
export interface ScenarioSum {
  readonly name: string;
  readonly rounds: number;
  /** What was drawn, as often as it was. */
  readonly notes: readonly string[];
  readonly leaders: number;
  /** How long they took; null of none. */
  readonly leaderTimes: Times | null;
  readonly elections: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly reads: number;
  readonly failedReads: number;
  readonly givenUp: number;
  readonly longestMs: number;
  readonly medianMs: number;
}

export function sumUp(reports: readonly ScenarioReport[]): ScenarioSum[] {
  const names = [...new Set(reports.map(({ name }) => name))];
  return names.map((name) => {
    const own = reports.filter((report) => report.name === name);
    const total = (of: (report: ScenarioReport) => number): number =>
      own.reduce((sum, report) => sum + of(report), 0);
    const leaderMs = own.flatMap((report) => report.leaderMs);
    return {
      name,
      rounds: own.length,
      notes: own.flatMap(({ notes }) => notes),
      leaders: leaderMs.length,
      leaderTimes: timesOf(leaderMs),
      elections: total(({ elections }) => elections),
      acknowledged: total(({ counts }) => counts.acknowledged),
      unknown: total(({ counts }) => counts.unknown),
      refused: total(({ counts }) => counts.refused),
      reads: total(({ counts }) => counts.reads),
      failedReads: total(({ counts }) => counts.failedReads),
      givenUp: total(({ counts }) => counts.givenUp),
      longestMs: Math.round(Math.max(...own.map(({ longestMs }) => longestMs))),
      medianMs: timesOf(own.map(({ ms }) => ms))?.medianMs ?? 0,
    };
  });
}

const HEAD = [
  "scenario",
  "rounds",
  "leaders",
  "new leader ms: min / median / p99 / max",
  "elections",
  "writes ok",
  "unknown",
  "refused",
  "reads ok",
  "failed",
  "given up",
  "longest ms",
  "round ms",
];

/** For people. */
export function table(sums: readonly ScenarioSum[]): string {
  const rows = sums.map((sum) => [
    sum.name,
    sum.rounds,
    sum.leaders,
    showTimes(sum.leaderTimes),
    sum.elections,
    sum.acknowledged,
    sum.unknown,
    sum.refused,
    sum.reads,
    sum.failedReads,
    sum.givenUp,
    sum.longestMs,
    sum.medianMs,
  ]);
  const lines = [HEAD, ...rows.map((row) => row.map(String))];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join("  ")
        .concat("\n"),
    )
    .join("");
}
