import { expect, test } from "vitest";
import { TestEngine, id } from "../../test/engine-harness.js";

test("the state machine's progress is noted, and a snapshot that is due is asked for", () => {
  const node = new TestEngine({ terms: [1, 1, 1], committed: 3, switches: { snapshotAfterEntries: 2 } });
  expect(node.engine.resume()).toEqual([{ type: "apply", since: 1, upto: 3 }]);
  expect(node.applied(id(1, 1))).toEqual([]);
  expect(node.state.applied).toEqual(id(1, 1));
  expect(node.applied(id(1, 2))).toEqual([{ type: "buildSnapshot" }]);
});
