/**
 * Membership churn between one and seven voters, under load and faults of every kind. A few short runs by default; the long one:
 *
 *     CHURN_SECONDS=10000 CHURN_SEED=1 npx vitest run packages/raft/test/churn.test.ts
 *
 * runs one seed for that many virtual seconds. A failure names its seed, which repeats it.
 */
import { openSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Coverage, WANTED_OF_LONG_RUNS, WANTED_OF_SHORT_RUNS } from "./churn/coverage.js";
import { ChurnFailure } from "./churn/churn-failure.js";
import type { ChurnProgress } from "./churn/run-churn.js";
import { runChurn } from "./churn/run-churn.js";

const SHORT_SEEDS = [1, 2, 3, 4];
const SHORT_SECONDS = 40;

/** Below this a run is too short to have seen everything. */
const LONG_SECONDS = 5000;

const seconds = Number(process.env["CHURN_SECONDS"] ?? 0);
const seed = Number(process.env["CHURN_SEED"] ?? 1);

describe("a cluster whose membership changes all the time", () => {
  test.runIf(seconds === 0)("loses nothing, whatever else goes wrong", async () => {
    const coverage = new Coverage();
    for (const each of SHORT_SEEDS) {
      await runChurn({ seed: each, seconds: SHORT_SECONDS, coverage });
    }
    // A run that tried nothing proves nothing.
    expect(coverage.missing(WANTED_OF_SHORT_RUNS)).toEqual([]);
  });

  test.runIf(seconds === 0)("goes the same way every time, by its seed alone", async () => {
    const story = async (of: number): Promise<unknown> => {
      const coverage = new Coverage();
      const report = await runChurn({ seed: of, seconds: 10, coverage });
      return { ...report, seed: 0, coverage: coverage.table() };
    };
    expect(await story(5)).toEqual(await story(5));
    expect(await story(5)).not.toEqual(await story(6));
  });

  // Only where it is asked for: a test that is there and skipped would say that something is missing.
  test.each(seconds > 0 ? [seconds] : [])(
    `loses nothing in %d virtual seconds of seed ${seed}`,
    async () => {
      const coverage = new Coverage();
      const since = performance.now();
      const report = await runChurn({ seed, seconds, coverage, progress: progressLine(since) });
      const real = ((performance.now() - since) / 1000).toFixed(0);
      process.stdout.write(`${JSON.stringify(report)}\n${real} real seconds\n${coverage.table()}\n`);
      const missing = seconds < LONG_SECONDS ? [] : coverage.missing(WANTED_OF_LONG_RUNS);
      if (missing.length > 0) throw new ChurnFailure(`never happened: ${missing.join("; ")}`);
      expect(report.virtualMs).toBeGreaterThanOrEqual(seconds * 1000);
    },
    24 * 3_600_000,
  );
});

/** Shows how far the run is, about once a second, where there is a terminal. */
function progressLine(since: number): (now: ChurnProgress) => void {
  let terminal: number | null = null;
  try {
    terminal = openSync("/dev/tty", "w");
  } catch {
    // Nobody is looking.
  }
  let shownAt = since;
  return (now) => {
    if (terminal === null || performance.now() - shownAt < 1000) return;
    shownAt = performance.now();
    const real = ((shownAt - since) / 1000).toFixed(0);
    const { seconds: done, committed, term, voters } = now;
    writeSync(
      terminal,
      `\rseed ${seed}: ${done} of ${seconds} virtual seconds in ${real} s, ${committed} entries, term ${term}, voters ${voters.join()}\u001B[K\r`,
    );
  };
}
