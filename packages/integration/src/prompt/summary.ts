import type { LogId } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { PipelineStats } from "./pipeline.js";
import { groupDigits } from "./progress-bar.js";

/** A duration for people: three digits or more, in the unit that suits it. */
export function formatDuration(ms: number): string {
  if (ms >= 1000) return `${digits(ms / 1000)} s`;
  if (ms >= 1) return `${digits(ms)} ms`;
  return `${digits(ms * 1000)} us`;
}

function digits(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** How far a run brought the nodes. */
interface Reached {
  readonly lastApplied: LogId;
  readonly keys: number;
  readonly snapshotsTaken: number;
}

/**
 * The last words of a run, one fact a line: commands, errors, throughput, latency, and how far the node came.
 *
 * @param elapsedMs the time that the throughput is taken over.
 */
export function summaryText(stats: PipelineStats, elapsedMs: number, status: Reached): string {
  const rate = elapsedMs > 0 ? groupDigits(Math.round((stats.commands * 1000) / elapsedMs)) : "0";
  const latency = [
    `p50 ${formatDuration(stats.latency.percentileMs(0.5))}`,
    `p90 ${formatDuration(stats.latency.percentileMs(0.9))}`,
    `p99 ${formatDuration(stats.latency.percentileMs(0.99))}`,
    `max ${formatDuration(stats.latency.maxMs)}`,
  ];
  const rows: readonly (readonly [string, string])[] = [
    ["commands", groupDigits(stats.commands)],
    ["errors", groupDigits(stats.errors)],
    ["throughput", `${rate} commands/s over ${formatDuration(elapsedMs)}`],
    ["latency", stats.latency.count === 0 ? "none" : latency.join(", ")],
    [
      "last applied",
      `${formatLogId(status.lastApplied)} (${groupDigits(status.keys)} ${status.keys === 1 ? "key" : "keys"})`,
    ],
    ["snapshots taken", groupDigits(status.snapshotsTaken)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(17)}${value}\n`).join("");
}
