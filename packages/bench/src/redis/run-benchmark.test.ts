import { expect, test } from "vitest";
import { flagsOf, readCsv } from "./run-benchmark.js";

const HEADER =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"';

test("a line of redis-benchmark is read: rate, median and 99th percentile", () => {
  const stdout = `${HEADER}\n"SET","30000.50","0.900","0.080","0.870","1.200","2.500","9.000"\n`;

  expect(readCsv(stdout, "set", 5000)).toEqual({ perSecond: 30_000.5, p50Us: 870, p99Us: 2500 });
});

test("a run shorter than a step of its clock has at least one request a millisecond, for each of them", () => {
  const stdout = `${HEADER}\n"GET","inf","0.060","0.040","0.063","0.079","0.079","0.079"\n`;

  expect(readCsv(stdout, "get", 200)).toEqual({ perSecond: 200_000, p50Us: 63, p99Us: 79 });
});

test("output without the command is an error that shows it", () => {
  expect(() => readCsv("Could not connect\n", "get", 200)).toThrow("Could not connect");
});

test("pipelines are full: otherwise it may end with the words that all clients were disconnected", () => {
  const requested = (requests: number, pipeline: number): string | undefined =>
    flagsOf(1, { command: "set", clients: 1, pipeline }, requests).at(-1);

  expect(requested(1001, 16)).toBe("1008");
  expect(requested(1008, 16)).toBe("1008");
  expect(requested(1001, 1)).toBe("1001");
});
