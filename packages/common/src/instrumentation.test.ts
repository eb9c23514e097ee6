import { expect, test } from "vitest";
import { silentLogger } from "./instrumentation.js";

test("the silent logger takes any record and does nothing", () => {
  expect(silentLogger.log("error", "raft.stopped", { term: 1, cause: null })).toBeUndefined();
  expect(Object.isFrozen(silentLogger)).toBe(true);
});
