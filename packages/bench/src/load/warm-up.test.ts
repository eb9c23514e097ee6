import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Load } from "../redis/run-benchmark.js";
import type { Run } from "./warm-up.js";
import { warmUp, warmUpFirst } from "./warm-up.js";

const LOAD: Load = { command: "set", clients: 8, pipeline: 1 };
const SETTINGS = {
  seconds: 0.5,
  scale: 1,
  rounds: 1,
  progress: (): void => {},
  notice: (): void => {},
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A server of which each run is a thousand requests a second faster. */
function quicker(): { readonly run: Run; readonly runs: (readonly [Load, number])[] } {
  const runs: (readonly [Load, number])[] = [];
  const run: Run = (load, requests) => {
    runs.push([load, requests]);
    const perSecond = 4000 + 1000 * runs.length;
    vi.advanceTimersByTime((1000 * requests) / perSecond);
    return Promise.resolve({ perSecond });
  };
  return { run, runs };
}

test("a load is carried out for three rounds, and it is said how much of it fits into the next", async () => {
  const { run, runs } = quicker();
  expect(await warmUp(run, LOAD, SETTINGS)).toBe(4000);
  // 2000 at 5000/s, 2500 at 6000/s, 3000 at 7000/s, 3500 at 8000/s: 1.7 s.
  expect(runs.map(([, requests]) => requests)).toEqual([2000, 2500, 3000, 3500]);
});

test("each client of a load has at least two pipelines to send", async () => {
  const { run, runs } = quicker();
  const load = { ...LOAD, clients: 500, pipeline: 16 };
  expect(await warmUp(run, load, { seconds: 0.001, scale: 0.01 })).toBe(16_000);
  expect(runs).toEqual([[load, 16_000]]);
});

test("a program that was just started works for twenty rounds of writes and five of reads, with many clients", async () => {
  const { run, runs } = quicker();
  const from = performance.now();
  await warmUpFirst(run, "server", SETTINGS);
  expect(performance.now() - from).toBeGreaterThanOrEqual(12_500);
  expect(performance.now() - from).toBeLessThan(14_000);
  expect(new Set(runs.map(([{ command, clients }]) => `${command} ${clients}`))).toEqual(
    new Set(["set 64", "get 64"]),
  );
});

test("however long the rounds are, it works for 25 seconds", async () => {
  const { run } = quicker();
  const from = performance.now();
  await warmUpFirst(run, "server", { ...SETTINGS, seconds: 600 });
  expect(performance.now() - from).toBeGreaterThanOrEqual(25_000);
  expect(performance.now() - from).toBeLessThan(28_000);
});

test("no round has more than five million requests", async () => {
  const run: Run = () => {
    vi.advanceTimersByTime(10_000);
    return Promise.resolve({ perSecond: 1_000_000 });
  };
  expect(await warmUp(run, LOAD, { seconds: 10, scale: 1 })).toBe(5_000_000);
});
