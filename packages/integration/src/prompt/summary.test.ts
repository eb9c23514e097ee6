import { describe, expect, test } from "vitest";
import { statusWith } from "../../test/support/fake-target.js";
import { LatencyHistogram } from "@seshat/common";
import { formatDuration, summaryText } from "./summary.js";

describe("summaryText", () => {
  test("tells commands, errors, throughput, latency, last applied and snapshots, one a line", () => {
    const latency = new LatencyHistogram();
    for (let ms = 1; ms <= 1000; ms += 1) latency.record(ms / 10);
    const stats = { commands: 1_234_567, errors: 1000, busyMs: 1, latency };
    const status = statusWith({ lastApplied: { term: 2, index: 77 }, keys: 12_345, snapshotsTaken: 6 });
    const lines = summaryText(stats, 2000, status).split("\n");
    expect(lines.map((line) => line.slice(0, 17).trim())).toEqual([
      "commands",
      "errors",
      "throughput",
      "latency",
      "last applied",
      "snapshots taken",
      "",
    ]);
    const [commands, errors, throughput, latencyLine, applied, snapshots] = lines.map((line) =>
      line.slice(17),
    );
    expect([commands, errors, applied, snapshots]).toEqual(["1,234,567", "1,000", "2-77 (12,345 keys)", "6"]);
    expect(throughput).toBe("617,284 commands/s over 2 s");
    expect(latencyLine).toMatch(/^p50 50(\.\d)? ms, p90 90(\.\d)? ms, p99 99(\.\d)? ms, max 100 ms$/);
  });

  test("of a run without commands there is no latency and no throughput", () => {
    const stats = { commands: 0, errors: 0, busyMs: 0, latency: new LatencyHistogram() };
    const summary = summaryText(stats, 0, statusWith({}));
    expect(summary).toContain("throughput       0 commands/s");
    expect(summary).toContain("latency          none\n");
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0 us"],
    [0.0123, "12.3 us"],
    [0.9996, "1000 us"],
    [1, "1 ms"],
    [1.2345, "1.23 ms"],
    [123.456, "123 ms"],
    [999.9, "1000 ms"],
    [1000, "1 s"],
    [61_234, "61.2 s"],
    [1_234_567, "1235 s"],
  ])("%d ms is written %s", (ms, written) => {
    expect(formatDuration(ms)).toBe(written);
  });
});
