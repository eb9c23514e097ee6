import { describe, expect, test } from "vitest";
import type { Round } from "../load/closed-loop.js";
import { shareFigures } from "./figures.js";

function round(perSecond: number, more: Partial<Round> = {}): Round {
  return { operations: 1, seconds: 1, perSecond, cpuUsPerOperation: 1, p50Us: 1, p99Us: 1, ...more };
}

describe("the share of the limit", () => {
  test("is that of neighbours, so that a machine that slows down half way changes nothing", () => {
    const figures = shareFigures([round(1000), round(1000), round(100)], [round(300), round(300), round(30)]);
    expect(figures).toMatchObject({
      shareOfLimit: 0.3,
      shareMin: 0.3,
      shareMax: 0.3,
      putsPerSec: 300,
      rounds: 3,
    });
    expect(figures["spread"]).toBe(0.9);
  });

  test("by the processor is the other way round: less time is more", () => {
    const figures = shareFigures(
      [round(1, { cpuUsPerOperation: 0.2 })],
      [round(1, { cpuUsPerOperation: 0.8 })],
    );
    expect(figures).toMatchObject({ cpuShareOfLimit: 0.25, cpuUsPerPut: 0.8 });
  });

  test("stands beside the medians of latency", () => {
    const rounds = [1, 9, 2].map((us) => round(1, { p50Us: us, p99Us: 10 * us }));
    expect(shareFigures(rounds, rounds)).toMatchObject({ p50Us: 2, p99Us: 20 });
  });
});
