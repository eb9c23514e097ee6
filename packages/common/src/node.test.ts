import { describe, expect, test } from "vitest";
import { checkNodeId } from "./node.js";

describe("checkNodeId", () => {
  test("accepts 1 and 2^53 - 1", () => {
    expect(checkNodeId("nodeId", 1)).toBe(1);
    expect(checkNodeId("nodeId", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("refuses 0, which older systems use for nobody", () => {
    expect(() => checkNodeId("nodeId", 0)).toThrow("nodeId is 0, but it must be an integer from 1");
  });
});
