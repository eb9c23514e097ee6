import { createMembership } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { nodesFor } from "../test/support/values.js";
import { until } from "./condition.js";
import type { RaftMetrics } from "./runtime/metrics.js";

describe("until.voters", () => {
  const among = (...configs: number[][]): RaftMetrics<unknown> => {
    const membership = createMembership(configs, nodesFor(1, 2, 3, 4));
    return { membership: { logId: { term: 1, index: 1 }, membership } } as RaftMetrics<unknown>;
  };

  test("wants exactly these, in whatever order they are named, and no joint membership", () => {
    const condition = until.voters([3, 1, 2, 2]);
    expect(condition.what).toBe("the voters 1,2,3");
    expect(condition.holds(among([1, 2, 3]))).toBe(true);
    for (const configs of [
      [[1, 2]],
      [[1, 2, 3, 4]],
      [
        [1, 2, 3],
        [1, 2, 4],
      ],
    ])
      expect(condition.holds(among(...configs)), JSON.stringify(configs)).toBe(false);
  });
});
