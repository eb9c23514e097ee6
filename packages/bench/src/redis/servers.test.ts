import { expect, test } from "vitest";
import { pauseOf } from "./servers.js";

test("a line of the trace of garbage collection tells the pause, any other line none", () => {
  const scavenge =
    "[18:0x2b] 3105 ms: Scavenge 36.1 (69.4) -> 8.3 (70.1) MB, pooled: 0 MB, 1.74 / 0.00 ms  (average mu = 1.000, current mu = 1.000) task;";
  const full =
    "[18:0x2b] 9400 ms: Mark-Compact (reduce) 9.0 (41.0) -> 8.1 (40.0) MB, pooled: 0 MB, 12.50 / 0.00 ms  (+ 3.1 ms in 9 steps since start of marking)";

  expect([scavenge, full, "Clients connect to 127.0.0.1:1"].map(pauseOf)).toEqual([1.74, 12.5, 0]);
});
