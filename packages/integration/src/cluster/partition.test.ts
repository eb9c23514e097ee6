import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { completePartition } from "./partition.js";

const IDS = [1, 2, 3, 4, 5];

describe("completePartition", () => {
  test.each([
    [
      [[1], [2, 3, 4, 5]],
      [[1], [2, 3, 4, 5]],
    ],
    [[[3, 2]], [[1], [2, 3], [4], [5]]],
    [
      [[5, 4], [3], [2, 1]],
      [[1, 2], [3], [4, 5]],
    ],
    [[[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5]]],
  ])("%j comes out as %j: sorted, and each node of no group alone", (groups, complete) => {
    expect(completePartition(groups, IDS)).toEqual(complete);
  });

  test.each<[number[][], string]>([
    [[], "at least one group"],
    [[[1], []], "groups of at least one node each"],
    [[[1], [6]], "there is no node 6"],
    [
      [
        [1, 2],
        [3, 2],
      ],
      "node 2 is named twice",
    ],
    [[[1, 1]], "node 1 is named twice"],
  ])("%j is refused", (groups, problem) => {
    expect(() => completePartition(groups, IDS)).toThrow(InvalidValueError);
    expect(() => completePartition(groups, IDS)).toThrow(problem);
  });
});
